"""Checks the index kernels against ports of the host builders. Prints one line per failure.

A chosen set may differ from that of float64 scores only where scores lie within rounding of the
cut-off; given the chosen sets, every row must equal the host builder's, entry by entry.

usage: check_index.py [--small|--tiny] [f16|bf16|f32]
"""

import math
import random
import sys

import torch

import host_index
from device import zero
from heddle_kernels import Call, KEY_COLUMNS, QUERY_ROWS, TYPES
from index_kernels import BlockSparse, VerticalSlash

DEVICE = "cuda"
failures = 0
cases = 0


def expect(condition, message):
    global failures
    if not condition:
        failures += 1
        print("FAILED", message, flush=True)


def structured(heads, tokens, dim, dtype):
    """Random vectors around a common direction, so that scores differ in size."""
    x = torch.randn(heads, tokens, dim)
    return (x + 2 * torch.randn(heads, 1, dim) * torch.rand(heads, tokens, 1)).to(dtype).to(DEVICE)


def tail_shapes(query_tokens, key_tokens):
    return list(host_index.query_blocks(query_tokens, key_tokens))


def check_chosen(chosen, scores, forced, count, tolerance, what):
    """chosen are `count` places with the greatest scores, the forced ones among them."""
    expect(len(chosen) == count and len(set(chosen)) == count, f"{what}: {len(chosen)} chosen of {count}")
    expect(set(forced) <= set(chosen), f"{what}: a forced place is missing")
    free = torch.ones(len(scores), dtype=torch.bool)
    free[list(forced)] = False
    taken = torch.zeros(len(scores), dtype=torch.bool)
    taken[list(chosen)] = True
    inside, outside = scores[free & taken], scores[free & ~taken]
    if len(inside) and len(outside):
        gap = (outside.max() - inside.min()).item()
        expect(gap <= tolerance, f"{what}: one left out scores {gap:.3e} more than one taken, allowed {tolerance:.3e}")


def check_block_sparse(dtype, dim, heads, sequences, options, pass_bytes=1 << 20, every=1):
    """Checks every `every`-th row."""
    global cases
    queries = max(s[0] + s[1] for s in sequences)
    keys = max(s[2] + s[3] for s in sequences)
    q, k = structured(heads[0], queries, dim, dtype), structured(heads[1], keys, dim, dtype)
    slots = list(range(heads[0]))[:: max(1, heads[0] // len(options))][: len(options)]
    call = Call(q, k, k, sequences, slots, options)
    builder = BlockSparse(call, pass_bytes)
    index = builder.build()
    for s, (first_query, query_tokens, first_key, key_tokens) in enumerate(sequences):
        key_blocks = math.ceil(key_tokens / KEY_COLUMNS)
        for slot, head in enumerate(slots):
            cases += 1
            rows_q = q[head, first_query : first_query + query_tokens].double()
            rows_k = k[head // (heads[0] // heads[1]), first_key : first_key + key_tokens].double()
            mean_k = torch.stack([b.mean(0) for b in rows_k.split(KEY_COLUMNS)])
            kept, sink_blocks = options[slot]
            for row, (first, visible, count) in enumerate(tail_shapes(query_tokens, key_tokens)):
                if row % every != every - 1:
                    continue
                what = f"block-sparse {dtype} d{dim} {sequences[s]} {options[slot]} row {row}"
                mean_q = rows_q[row * QUERY_ROWS : row * QUERY_ROWS + count].mean(0)
                visible_blocks = math.ceil(visible / KEY_COLUMNS)
                scores = (mean_k[:visible_blocks] @ mean_q * call.scale).cpu()
                bound = (mean_k[:visible_blocks].abs() @ mean_q.abs() * call.scale).max().item()
                diagonal = first // KEY_COLUMNS
                forced = list(range(min(sink_blocks, diagonal))) + list(range(diagonal, visible_blocks))
                blocks, columns = index.row((s * len(slots) + slot) * call.most_query_blocks + row)
                chosen = sorted({c // KEY_COLUMNS for c in blocks + columns})
                expected = min(visible_blocks, max(kept, len(forced)))
                if max(kept, sink_blocks) >= key_blocks:
                    expected, forced = visible_blocks, range(visible_blocks)
                check_chosen(chosen, scores, forced, expected, 2e-5 * bound, what)
                ranges = [(c * KEY_COLUMNS, (c + 1) * KEY_COLUMNS) for c in chosen]
                expect((blocks, columns) == host_index.cut_ranges(ranges, visible), what + ": rows differ")


def probe_sums(q, k, probes, scale):
    """Column and offset sums in float64."""
    keys, queries = k.shape[0], q.shape[0]
    scores = q[queries - probes :].double() @ k.double().T * scale
    positions = torch.arange(keys - probes, keys, device=DEVICE)[:, None]
    columns = torch.arange(keys, device=DEVICE)[None, :]
    scores = scores.masked_fill(columns > positions, -torch.inf)
    weights = (scores - scores.max(1, keepdim=True).values).exp().masked_fill(columns > positions, 0)
    weights = (weights / weights.sum(1, keepdim=True)).clamp(min=math.exp(-60)).masked_fill(columns > positions, 0)
    offsets = torch.zeros(keys, dtype=torch.float64, device=DEVICE)
    offsets.index_add_(0, (positions - columns).clamp(min=0).flatten(), weights.flatten())
    return weights.sum(0), offsets


def check_required(index, first_row, columns, offsets, queries, keys, what):
    """Every query reads what it must."""
    rows = [index.row(first_row + row) for row in range(math.ceil(queries / QUERY_ROWS))]
    reads = host_index.mask(rows, queries, keys, torch, DEVICE)
    missing = (host_index.required(columns, offsets, queries, keys, torch, DEVICE) & ~reads).nonzero()
    expect(len(missing) == 0, f"{what}: {len(missing)} keys are not read, the first {missing[:1].tolist()}")


def entries_of(index):
    """Block starts and columns, without what is allocated beyond their ends."""
    return index.block_starts[: int(index.block_offsets[-1])], index.columns[: int(index.column_offsets[-1])]


def check_vertical_slash(dtype, dim, heads, sequences, options):
    global cases
    queries = max(s[0] + s[1] for s in sequences)
    keys = max(s[2] + s[3] for s in sequences)
    q, k = structured(heads[0], queries, dim, dtype), structured(heads[1], keys, dim, dtype)
    slots = list(range(heads[0]))[:: max(1, heads[0] // len(options))][: len(options)]
    call = Call(q, k, k, sequences, slots, options)
    builder = VerticalSlash(call)
    index = builder.build()
    for s, (first_query, query_tokens, first_key, key_tokens) in enumerate(sequences):
        for slot, head in enumerate(slots):
            cases += 1
            unit = s * len(slots) + slot
            verticals, slashes, probe_queries, sink, local = options[slot]
            what = f"vertical-slash {dtype} d{dim} {sequences[s]} {options[slot]}"
            if max(verticals, sink, slashes, local, sink + local) >= key_tokens:
                rows = host_index.everything(query_tokens, key_tokens)
            else:
                rows_q = q[head, first_query : first_query + query_tokens]
                rows_k = k[head // (heads[0] // heads[1]), first_key : first_key + key_tokens]
                wanted = probe_sums(rows_q, rows_k, min(probe_queries, query_tokens), call.scale)
                lists = []
                for name, want, count, forced in (
                    ("column", wanted[0], max(verticals, sink), sink),
                    ("offset", wanted[1], max(slashes, local), local),
                ):
                    got = builder.scratch[name + "_sums"][unit, :key_tokens].double()
                    error = ((got - want).abs() / (want + 1e-3 * want.max())).max().item()
                    # float32 scores of a few units: exp of them is off by about 1e-5
                    expect(error <= 2e-4, f"{what}: {name} sums off by {error:.3e}")
                    chosen = builder.scratch[name + "s"][unit, :count].tolist()
                    check_chosen(chosen, got.cpu(), range(forced), count, 0, f"{what} {name}s")
                    expect(chosen == sorted(chosen), f"{what}: {name}s not sorted")
                    lists.append(chosen)
                rows = host_index.vertical_slash(query_tokens, key_tokens, *lists)
                check_required(index, unit * call.most_query_blocks, *lists, query_tokens, key_tokens, what)
            for row, expected in enumerate(rows):
                got = host_index.ascending(index.row(unit * call.most_query_blocks + row))
                expect(got == host_index.ascending(expected), f"{what}: row {row} differs")
    once = {n: t.clone() for n, t in builder.scratch.items() if n in ("column_sums", "offset_sums", "columns", "offsets")}
    rows = [t.clone() for t in (index.block_offsets, index.column_offsets, *entries_of(index))]
    builder.build()
    same = all(torch.equal(once[n].view(torch.int32), builder.scratch[n].view(torch.int32)) for n in once)
    expect(same, f"vertical-slash {dtype} d{dim} {sequences}: sums differ between runs")
    again = (index.block_offsets, index.column_offsets, *entries_of(index))
    same = all(torch.equal(a, b) for a, b in zip(rows, again))
    expect(same, f"vertical-slash {dtype} d{dim} {sequences}: rows differ between runs")


def random_runs(limit, count, longest, rng):
    """`count` different numbers below `limit`, in runs of up to `longest`."""
    chosen = set()
    while len(chosen) < count:
        first = rng.randrange(limit)
        chosen.update(range(first, min(limit, first + rng.randrange(1, longest + 1), first + count - len(chosen))))
    return sorted(chosen)


def check_planted_rows(queries, keys, seed):
    """Rows of columns and offsets that lie in runs of all kinds, near and far from one another."""
    global cases
    rng = random.Random(seed)
    q, k = structured(4, queries, 64, torch.bfloat16), structured(1, keys, 64, torch.bfloat16)
    counts = [[rng.randrange(keys // 2), rng.randrange(1, max(2, keys // 3))] for _ in range(4)]
    call = Call(q, k, k, options=[[v, s, 64, 0, 1] for v, s in counts])
    builder = VerticalSlash(call)
    builder.probe()
    lists = []
    for slot, (verticals, slashes) in enumerate(counts):
        columns = random_runs(keys, verticals, rng.choice([1, 3, 40, 200]), rng)
        offsets = sorted({0} | set(random_runs(keys, slashes - 1, rng.choice([1, 3, 40, 200]), rng)))
        columns_and_offsets = []
        for name, numbers in (("column_sums", columns), ("offset_sums", offsets)):
            sums = torch.rand(builder.sum_length) * 0.5
            sums[numbers] += 1
            builder.scratch[name][slot] = sums.to(DEVICE)
            columns_and_offsets.append(numbers)
        extra = slashes - len(offsets)  # 0 was among the random ones: the greatest of the rest follows
        if extra > 0:
            rest = sums.clone()
            rest[offsets] = -1
            offsets += rest[:keys].topk(extra).indices.tolist()
            offsets.sort()
        lists.append(columns_and_offsets)
    zero(builder.scratch["overhangs"])
    index = builder.finish()
    for slot, (columns, offsets) in enumerate(lists):
        cases += 1
        what = f"planted rows {queries} {keys} seed {seed} slot {slot} {counts[slot]}"
        check_required(index, slot * call.most_query_blocks, columns, offsets, queries, keys, what)
        for row, expected in enumerate(host_index.vertical_slash(queries, keys, columns, offsets)):
            got = host_index.ascending(index.row(slot * call.most_query_blocks + row))
            expect(got == host_index.ascending(expected), f"{what}: row {row} differs")


def check_not_finite(dtype, tensor, bad):
    """NaN and infinity in Q or K: every list is full, in order and in range, and the same each time."""
    global cases
    cases += 1
    q, k = structured(2, 300, 64, dtype), structured(1, 700, 64, dtype)
    if tensor == "q":
        q[0, 280, 3] = bad
        q[0, 290] = bad
    else:
        k[0, 100, 3] = bad
        k[0, 650] = bad
    call = Call(q, k, k, options=[[60, 90, 64, 4, 20]] * 2)
    builder = VerticalSlash(call)
    index = builder.build()
    what = f"vertical-slash {dtype} {bad} in {tensor}"
    for slot in range(2):
        columns, offsets = (builder.scratch[n][slot].tolist() for n in ("columns", "offsets"))
        for numbers, count, forced in ((columns, 60, 4), (offsets, 90, 20)):
            expect(len(set(numbers)) == count and numbers == sorted(numbers), f"{what}: not {count} in order")
            expect(numbers[:forced] == list(range(forced)) and numbers[-1] < 700, f"{what}: forced or out of range")
        for row, expected in enumerate(host_index.vertical_slash(300, 700, columns, offsets)):
            got = host_index.ascending(index.row(slot * call.most_query_blocks + row))
            expect(got == host_index.ascending(expected), f"{what}: row {row} differs")
    for name in ("column_sums", "offset_sums"):
        expect(bool(builder.scratch[name][:, :700].isfinite().all()), f"{what}: {name} are not finite")
    if tensor == "q":  # the other head is as if nothing were
        wanted = probe_sums(q[1], k[0], 64, call.scale)
        for name, want in zip(("column_sums", "offset_sums"), wanted):
            error = ((builder.scratch[name][1, :700].double() - want).abs() / (want + 1e-3 * want.max())).max().item()
            expect(error <= 2e-4, f"{what}: other head's {name} off by {error:.3e}")


def main():
    torch.manual_seed(2)
    small = "--small" in sys.argv or "--tiny" in sys.argv
    every = (torch.bfloat16, torch.float16, torch.float32)
    types = [t for t in every if TYPES[t] in sys.argv] or every
    if "--tiny" in sys.argv:
        check_every_kernel(types)
        finish()
    single = [(300, 300), (65, 800)] if small else [(1, 1), (65, 65), (1023, 1023), (65, 1000), (200, 4224), (4224, 4224)]
    batch = [(0, 63, 0, 200), (63, 1, 200, 1), (64, 300, 201, 300), (364, 129, 501, 900)]
    for dtype in types:
        for dim in (64, 128, 256) if small else (64, 96, 128, 256, 40):
            for sequences in [[(0, q, 0, k)] for q, k in single] + [batch]:
                check_block_sparse(dtype, dim, (4, 2), sequences, [[3, 1], [7, 2], [1, 0], [100, 1]])
                check_vertical_slash(
                    dtype, dim, (4, 2), sequences,
                    [[60, 90, 64, 4, 20], [10, 300, 64, 30, 100], [0, 5, 10, 0, 1], [130, 40, 64, 2, 3]])  # fmt: skip
                check_vertical_slash(
                    dtype, dim, (4, 1), sequences,
                    [[200, 70, 64, 150, 33], [40, 2, 300, 40, 2], [64, 150, 64, 64, 64], [33, 129, 7, 0, 129]])  # fmt: skip
        check_vertical_slash(dtype, 64, (1, 1), [(0, 900, 0, 1500)], [[60, 90, 150, 4, 20]])
        check_vertical_slash(dtype, 64, (8, 1), [(0, 500, 0, 1500)], [[60, 90, 150, 4, 20]] * 7 + [[9, 9, 500, 3, 4]])
        for tensor in ("q", "k"):
            for bad in (torch.nan, torch.inf, -torch.inf):
                check_not_finite(dtype, tensor, bad)
    for options in ([100, 1], [5000, 7]):  # rows of more scores than a warp holds
        check_block_sparse(torch.bfloat16, 64, (1, 1), [(0, 300_001, 0, 400_000)], [options], 1 << 28, 500)
    for seed in range(4 if small else 40):
        check_planted_rows(*[(300, 1000), (1100, 1100), (700, 6000), (128, 3000), (1, 400)][seed % 5], seed)
    finish()


def check_every_kernel(types):
    """As few cases as launch every kernel once, for the slowest tools of compute-sanitizer."""
    batch = [(0, 63, 0, 130), (63, 130, 130, 200)]
    for dtype in types:
        for dim in (64, 96, 128, 256):
            check_block_sparse(dtype, dim, (2, 1), batch, [[2, 1], [1, 0]])
            check_vertical_slash(dtype, dim, (2, 1), batch, [[30, 40, 64, 4, 20], [10, 20, 70, 3, 10]])


def finish():
    torch.cuda.synchronize()
    print(f"check_index: {cases} heads compared, {failures} failures", flush=True)
    sys.exit(failures != 0)


main()
