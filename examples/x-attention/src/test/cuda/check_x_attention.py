"""Checks XAttention's kernels against float64, or times them. Prints one line per failure.

What a query block keeps may differ from what float64 says only where masses lie within rounding of the
cut-off; given what is kept, every row must equal the host builder's, entry by entry.

Needs the harness of kernels/src/test/cuda on PYTHONPATH, and x_attention.fatbin and rows.fatbin in
HEDDLE_IMAGES.

usage: check_x_attention.py [--tiny] [f16|bf16|f32] | bench TOKENS
"""

import math
import statistics
import struct
import sys

import torch

import host_index
from heddle_kernels import Call, Index, KEY_COLUMNS, PORTABLE, QUERY_ROWS, TYPES, ceil_div, image

DEVICE = "cuda"
failures = 0
cases = 0


class XAttention:
    """Index building as XAttentionGpuIndex queues it; options (stride, threshold, sink-blocks)."""

    def __init__(self, call, pass_bytes=512 << 20):
        self.call = call
        call.tables[2] = torch.tensor([[o[0], struct.unpack("<i", struct.pack("<f", o[1]))[0], o[2]] for o in call.options],
                                      dtype=torch.int32).to(call.q.device)  # fmt: skip
        self.stride = min(o[0] for o in call.options)
        self.key_blocks = ceil_div(call.most_keys, KEY_COLUMNS)
        per_block = call.units * (QUERY_ROWS // self.stride) * self.key_blocks * 4
        self.pass_blocks = max(1, min(call.most_query_blocks, pass_bytes // per_block))
        self.pass_rows = self.pass_blocks * (QUERY_ROWS // self.stride)
        self.words = ceil_div(self.key_blocks, 32)
        self.logs = call.empty(call.units, self.pass_rows, self.key_blocks)
        self.kept = call.empty(call.rows, self.words, dtype=torch.int32)
        self.totals = call.empty(2, dtype=torch.int64)
        nothing = call.empty(1, dtype=torch.int32)
        self.index = Index(call.offsets(), nothing, call.offsets(), nothing)

    def launch(self, step, grid, block, shared=0, first=0):
        params = self.call.params(self.index) + struct.pack(
            "<3Q6i", self.logs.data_ptr(), self.kept.data_ptr(), self.totals.data_ptr(), self.key_blocks, self.words,
            first, self.pass_blocks, self.pass_rows, 0)  # fmt: skip
        image("x_attention").launch("heddle_x_attention_" + step, grid, block, shared, params)

    def score(self, first):
        call = self.call
        rows, keys, name, threads, shared = (64, 64, "f32", 256, 0)
        if call.name != "f32":
            rows, keys, name, threads, shared = 128, 256, call.name, 256, 98304
            if call.hopper is not None and not PORTABLE:
                name, threads, shared = "hopper_" + call.name, 384, 197696
        grid = (ceil_div(ceil_div(call.most_keys, self.stride), keys), ceil_div(self.pass_rows, rows), call.units)
        self.launch("score_" + name, grid, (threads, 1, 1), shared, first)

    def select(self, first):
        call = self.call
        self.launch("select", (len(call.heads), self.pass_blocks, len(call.sequences)), (256, 1, 1), 0, first)

    def scan(self):
        self.launch("scan", (2, 1, 1), (1024, 1, 1))

    def emit(self):
        call = self.call
        self.launch("emit", (ceil_div(call.most_query_blocks, 8), len(call.heads), len(call.sequences)), (256, 1, 1))

    def passes(self):
        return range(0, self.call.most_query_blocks, self.pass_blocks)

    def build(self):
        for first in self.passes():
            self.score(first)
            self.select(first)
        self.scan()
        blocks, columns = self.totals.tolist()
        self.index.block_starts = self.call.empty(max(1, blocks), dtype=torch.int32)
        self.index.columns = self.call.empty(max(1, columns), dtype=torch.int32)
        self.emit()
        return self.index


def expect(condition, message):
    global failures
    if not condition:
        failures += 1
        print("FAILED", message, flush=True)


def structured(heads, tokens, dim, dtype):
    x = torch.randn(heads, tokens, dim)
    return (x + 2 * torch.randn(heads, 1, dim) * torch.rand(heads, tokens, 1)).to(dtype).to(DEVICE)


def masses(q, k, stride, scale):
    """Mass of each key block for each query block, float64 [query blocks][key blocks]."""
    queries, keys = q.shape[0], k.shape[0]
    pad = lambda x: torch.nn.functional.pad(x.double(), (0, 0, 0, -x.shape[0] % stride)).unflatten(0, (-1, stride))
    rows, columns = pad(q).flip(1).flatten(1), pad(k).flatten(1)
    scores = rows @ columns.T * (scale / stride)
    positions = torch.arange(rows.shape[0], device=q.device)[:, None] * stride + keys - queries
    firsts = torch.arange(columns.shape[0], device=q.device)[None, :] * stride
    weights = scores.masked_fill(firsts > positions, -torch.inf).softmax(1)
    per_key, per_query = KEY_COLUMNS // stride, QUERY_ROWS // stride
    weights = torch.nn.functional.pad(weights, (0, -weights.shape[1] % per_key, 0, -weights.shape[0] % per_query))
    return weights.unflatten(1, (-1, per_key)).sum(2).unflatten(0, (-1, per_query)).sum(1).cpu()


def check(dtype, dim, heads, sequences, options, pass_bytes=1 << 20):
    global cases
    queries = max(s[0] + s[1] for s in sequences)
    keys = max(s[2] + s[3] for s in sequences)
    q, k = structured(heads[0], queries, dim, dtype), structured(heads[1], keys, dim, dtype)
    slots = list(range(heads[0]))[:: max(1, heads[0] // len(options))][: len(options)]
    call = Call(q, k, k, sequences, slots, options)
    builder = XAttention(call, pass_bytes)
    index = builder.build()
    for s, (first_query, query_tokens, first_key, key_tokens) in enumerate(sequences):
        for slot, head in enumerate(slots):
            cases += 1
            stride, threshold, sinks = options[slot]
            rows_q = q[head, first_query : first_query + query_tokens]
            rows_k = k[head // (heads[0] // heads[1]), first_key : first_key + key_tokens]
            wanted = masses(rows_q, rows_k, stride, call.scale)
            for row, (first, visible, count) in enumerate(host_index.query_blocks(query_tokens, key_tokens)):
                what = f"x-attention {dtype} d{dim} {sequences[s]} {options[slot]} head {head} row {row}"
                blocks, columns = index.row((s * len(slots) + slot) * call.most_query_blocks + row)
                chosen = sorted({c // KEY_COLUMNS for c in blocks + columns})
                ranges = [(c * KEY_COLUMNS, (c + 1) * KEY_COLUMNS) for c in chosen]
                expect((blocks, columns) == host_index.cut_ranges(ranges, visible), what + ": rows differ")
                visible_blocks, diagonal = ceil_div(visible, KEY_COLUMNS), first // KEY_COLUMNS
                forced = set(range(min(sinks, diagonal))) | set(range(diagonal, visible_blocks))
                expect(forced <= set(chosen) and chosen[-1] < visible_blocks, what + ": forced or visible")
                free = [wanted[row, b].item() for b in chosen if b not in forced]
                left = [wanted[row, b].item() for b in range(visible_blocks) if b not in chosen]
                total = ceil_div(count, stride)
                kept = sum(wanted[row, b].item() for b in chosen)
                slack = 3e-4 * total
                expect(kept >= threshold * total - slack, f"{what}: keeps {kept:.6f} of {total}, needs {threshold}")
                if free:
                    expect(kept - min(free) < threshold * total + slack, f"{what}: keeps more than needed")
                if free and left:
                    expect(max(left) - min(free) <= 3e-4 * max(left), f"{what}: a greater one is left out")
    builder.build()


def check_not_finite(dtype, bad):
    """Every row valid and the same twice."""
    global cases
    cases += 1
    q, k = structured(2, 300, 64, dtype), structured(1, 700, 64, dtype)
    q[0, 200, 3] = bad
    k[0, 100] = bad
    call = Call(q, k, k, options=[[8, 0.9, 1], [16, 0.5, 2]])
    builder = XAttention(call)
    index = builder.build()
    before = [t.clone() for t in (index.block_offsets, index.column_offsets, index.block_starts)]
    for slot in range(2):
        for row, (first, visible, count) in enumerate(host_index.query_blocks(300, 700)):
            blocks, columns = index.row(slot * call.most_query_blocks + row)
            expect(blocks == sorted(set(blocks)) and blocks[0] == 0 and max(blocks + columns) < visible, f"{bad} row {row}")
    builder.build()
    same = all(torch.equal(a, b) for a, b in zip(before, (index.block_offsets, index.column_offsets, index.block_starts)))
    expect(same, f"{bad}: rows differ between runs")


def main():
    torch.manual_seed(3)
    tiny = "--tiny" in sys.argv
    types = [t for t in TYPES if TYPES[t] in sys.argv] or list(TYPES)
    single = [(300, 300), (65, 800)] if tiny else [(1, 1), (65, 65), (1023, 1023), (65, 1000), (200, 4224), (4224, 4224)]
    batch = [(0, 63, 0, 200), (63, 1, 200, 1), (64, 300, 201, 300), (364, 129, 501, 900)]
    for dtype in types:
        for dim in (64, 128) if tiny else (64, 96, 128, 256, 40):
            for sequences in [[(0, q, 0, k)] for q, k in single] + [batch]:
                check(dtype, dim, (4, 2), sequences, [[8, 0.9, 1], [16, 0.9, 1], [32, 0.5, 0], [16, 0.99, 3]])
        for bad in (torch.nan, torch.inf, -torch.inf):
            check_not_finite(dtype, bad)
    if not tiny:  # more key blocks than shared memory holds masses of
        check(torch.bfloat16, 64, (1, 1), [(0, 200, 0, 600_000)], [[16, 0.9, 1]], 1 << 28)
    torch.cuda.synchronize()
    print(f"check_x_attention: {cases} heads compared, {failures} failures", flush=True)
    sys.exit(failures != 0)


def timed(work, most=7):
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
    return statistics.median(times)


def bench(tokens):
    heads, key_value_heads, dim = 32, 8, 128
    make = lambda h: torch.randn(h, tokens, dim, device=DEVICE).to(torch.bfloat16)
    q, k = make(heads), make(key_value_heads)
    for stride in (8, 16, 32):
        call = Call(q, k, k, options=[[stride, 0.5, 1]] * heads, out=q)
        builder = XAttention(call)
        parts = {
            "score": timed(lambda: [builder.score(first) for first in builder.passes()]),
            "select": timed(lambda: [builder.select(first) for first in builder.passes()]),
            "scan": timed(builder.scan), "all": timed(builder.build)}  # fmt: skip
        flop = heads * tokens * tokens / stride * dim
        print(f"stride {stride}: " + "  ".join(f"{n} {t:.2f} ms" for n, t in parts.items())
              + f"  {flop / parts['score'] / 1e9:.0f} TFLOP/s in score, {len(builder.passes())} passes"
              + f"  blocks {int(builder.index.block_offsets[-1])}", flush=True)  # fmt: skip
        del builder, call
        torch.cuda.empty_cache()


if __name__ == "__main__":
    if sys.argv[1:2] == ["bench"]:
        bench(int(sys.argv[2]))
    else:
        main()
