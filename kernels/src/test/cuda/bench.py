"""Times index building and attention with CUDA events; TFLOP/s count the cells that queries read.

Vertical-Slash runs the real probe on random Q and K, and then selects from planted sums: sinks and
scattered columns, a local band and clustered bands of offsets, as trained heads have.

usage: bench.py [heads key/value-heads tokens]...
"""

import statistics
import sys

import torch

from heddle_kernels import Call
from index_kernels import BlockSparse, VerticalSlash


def timed(work, most=15):
    work()
    torch.cuda.synchronize()
    times = []
    for _ in range(most):
        begin, end = torch.cuda.Event(True), torch.cuda.Event(True)
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end))
        if sum(times) > 1500 and len(times) >= 3:
            break
    return statistics.median(times)


def report(name, call, index_ms, attend_ms, cells):
    flop = 4.0 * cells * call.q.shape[-1]
    total = call.most_keys * (call.most_keys + 1) / 2 * len(call.heads)
    print(f"{name:34s} H={len(call.heads):<3d} N={call.most_keys:<8d} index {index_ms:8.3f} ms  attention {attend_ms:9.3f} ms"
          f"  density {cells / total:.4f}  {flop / attend_ms / 1e9:6.1f} TFLOP/s", flush=True)  # fmt: skip


def plant(builder, verticals, slashes):
    """Sums from which the selection takes planted columns and offsets."""
    keys = builder.call.most_keys
    generator = torch.Generator().manual_seed(1)
    for unit in range(builder.call.units):
        columns, offsets = torch.rand(keys, generator=generator) * 0.1, torch.rand(keys, generator=generator) * 0.1
        columns[30 + torch.randperm(keys - 30, generator=generator)[: verticals - 30]] += 1
        kept = set(range(slashes // 2))
        while len(kept) < slashes:
            first = int(torch.randint(slashes // 2, keys - 64, (1,), generator=generator))
            kept.update(range(first, first + 64))
        offsets[sorted(kept)[:slashes]] += 1
        builder.scratch["column_sums"][unit, :keys] = columns.cuda()
        builder.scratch["offset_sums"][unit, :keys] = offsets.cuda()
    builder.scratch["overhangs"].zero_()


def bench(heads, key_value_heads, tokens, dtype=torch.bfloat16, dim=128):
    make = lambda h: torch.randn(h, tokens, dim, device="cuda", dtype=torch.float32).to(dtype)
    q, k, v = make(heads), make(key_value_heads), make(key_value_heads)
    out = torch.empty_like(q)
    new = lambda options: Call(q, k, v, options=[options] * heads, out=out)

    call = new([0])
    if heads * tokens**2 <= 2**43:  # seconds, not minutes
        report("dense", call, 0, timed(lambda: call.attend("dense"), 5), heads * tokens * (tokens + 1) / 2)

    call = new([1024, 4096])
    cells = heads * sum(min(p + 1, 1024 + 4096 + p % 128) for p in range(tokens))
    report("a-shape 1024 + 4096", call, 0, timed(lambda: call.attend("a_shape")), cells)

    call = new([100, 1])
    sparse = BlockSparse(call)
    index_ms = timed(sparse.build)
    cells = int(call.count_cells(sparse.index).sum())
    report("block-sparse 100", call, index_ms, timed(lambda: call.attend("block_sparse", sparse.index)), cells)
    del sparse

    for verticals, slashes in [(1000, 6096), (30, 800), (3500, 100)]:
        call = new([verticals, slashes, 64, 30, 100])
        builder = VerticalSlash(call)
        probe_ms = timed(builder.probe)
        plant(builder, verticals, slashes)
        index_ms = probe_ms + timed(builder.finish)
        cells = int(call.count_cells(builder.index).sum())
        name = f"vertical-slash ({verticals}, {slashes})"
        report(name, call, index_ms, timed(lambda: call.attend("vertical_slash", builder.index)), cells)
        select_ms, count_ms, emit_ms = timed(builder.select), timed(builder.count), timed(builder.emit)
        print(f"    probe {probe_ms:.3f}  select {select_ms:.3f}  count+scan {count_ms:.3f}  emit {emit_ms:.3f}"
              f"  blocks {builder.index.block_starts.numel()}  columns {builder.index.columns.numel()}", flush=True)  # fmt: skip
        del builder


def dense_rates():
    """Dense at other head dims and types."""
    for dtype, dim, tokens in [(torch.bfloat16, 64, 16384), (torch.float16, 96, 16384), (torch.bfloat16, 128, 16384),
                               (torch.bfloat16, 256, 16384), (torch.float32, 128, 4096)]:  # fmt: skip
        x = torch.randn(16, tokens, dim, device="cuda").to(dtype)
        call = Call(x, x, x)
        report(f"dense {dtype} d{dim}", call, 0, timed(lambda: call.attend("dense"), 5), 16 * tokens * (tokens + 1) / 2)


if __name__ == "__main__":
    print(torch.cuda.get_device_name(), flush=True)
    dense_rates()
    shapes = [int(x) for x in sys.argv[1:]] or [32, 8, 131072]
    for i in range(0, len(shapes), 3):
        bench(*shapes[i : i + 3])
