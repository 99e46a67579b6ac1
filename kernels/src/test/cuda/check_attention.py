"""Checks every attention kernel against float64, over awkward sizes. Prints one line per failure.

The error, as a norm over each head, may be at most twice that of the plain computation in the same
element type, plus half a unit in the last place (where the plain one happens to be exact). No single
number may be off by more than twice the plain computation's worst and four units of the largest output.

usage: check_attention.py [--small|--tiny] [f16|bf16|f32] [DIM]
    (--small: few and short cases; --tiny: every kernel once or twice, for compute-sanitizer)
"""

import random
import sys

import torch

import host_index
from heddle_kernels import Call, Index, TYPES

DEVICE = "cuda"
# Where the oracle computes: compute-sanitizer's racecheck breaks 16-bit products of cuBLAS, and with them the process.
ORACLE = "cpu" if "--tiny" in sys.argv else DEVICE
EPSILON = {torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8, torch.float32: 2.0**-24}
failures = 0
cases = 0


def expect(condition, message):
    global failures
    if not condition:
        failures += 1
        print("FAILED", message, flush=True)


def tensors(query_heads, key_heads, queries, keys, dim, dtype, token_major=False):
    def make(heads, tokens):
        if token_major:  # [token][head][dim], rows padded by 8
            return torch.randn(tokens, heads, dim + 8).to(dtype).to(DEVICE)[:, :, :dim].permute(1, 0, 2)
        return torch.randn(heads, tokens, dim).to(dtype).to(DEVICE)

    return make(query_heads, queries), make(key_heads, keys), make(key_heads, keys)


def exact(q, k, v, mask, scale):
    """Output and lse in float64, [head][query]."""
    group = q.shape[0] // k.shape[0]
    scores = q.double() @ k.double().repeat_interleave(group, 0).transpose(1, 2) * scale
    scores = scores.masked_fill(~mask, -torch.inf)
    return torch.softmax(scores, -1) @ v.double().repeat_interleave(group, 0), torch.logsumexp(scores, -1)


def plain(q, k, v, mask, scale):
    """The plain computation in the element type."""
    group = q.shape[0] // k.shape[0]
    scores = q @ k.repeat_interleave(group, 0).transpose(1, 2) * scale
    weights = torch.softmax(scores.masked_fill(~mask, -torch.inf).float(), -1).to(q.dtype)
    return weights @ v.repeat_interleave(group, 0)


def compare(call, masks, what):
    """masks[sequence][slot]: what queries read."""
    global cases
    for s, (first_query, queries, first_key, keys) in enumerate(call.sequences):
        for slot, head in enumerate(call.heads):
            cases += 1
            group = call.q.shape[0] // call.k.shape[0]
            rows, columns = slice(first_query, first_query + queries), slice(first_key, first_key + keys)
            q = call.q[head : head + 1, rows].to(ORACLE)
            k, v = (t[head // group : head // group + 1, columns].to(ORACLE) for t in (call.k, call.v))
            mask = masks[s][slot]
            want, want_lse = exact(q, k, v, mask, call.scale)
            got = call.out[head : head + 1, rows].to(ORACLE).double()
            own, usual = got - want, plain(q, k, v, mask, call.scale).double() - want
            unit = EPSILON[call.q.dtype]
            for name, size, slack in (("norm", torch.linalg.norm, unit), ("worst", lambda x: x.abs().max(), 8 * unit)):
                error, allowed = size(own).item(), 2 * size(usual).item() + slack * size(want).item()
                expect(error <= allowed, f"{what} sequence {s} head {head}: {name} {error:.3e} allowed {allowed:.3e}")
            if call.lse is not None:
                # scores are exact to float32; the sum of weights to about 1e-6
                difference = (call.lse[head : head + 1, rows].to(ORACLE).double() - want_lse).abs().max().item()
                bound = 1e-5 + 4e-6 * want_lse.abs().max().item()
                expect(difference <= bound, f"{what} head {head}: lse off by {difference:.3e}")


def causal(queries, keys):
    return host_index.mask(host_index.everything(queries, keys), queries, keys, torch, ORACLE)


def random_rows(queries, keys, rng):
    """An index of random blocks at any start and random columns, which half of the queries may not read; every query
    reads a key."""
    rows = []
    for first, visible, _ in host_index.query_blocks(queries, keys):
        ranges = [(0, 1)] if rng.random() < 0.5 else [(first, first + 1)]
        for _ in range(rng.randrange(4)):
            start = rng.randrange(visible)
            ranges.append((start, start + rng.choice([64, 64, 128, 31, 100])))
        ranges += [(c, c + 1) for c in (rng.randrange(visible) for _ in range(rng.choice([0, 3, 64, 150])))]
        blocks, columns = host_index.cut_ranges(ranges, visible)
        anchor = ranges[0][0]
        for i, start in enumerate(blocks):
            if not start <= anchor < start + host_index.KEY_COLUMNS:
                blocks[i] |= rng.choice([0, 1, 1, 2, 2, 3]) << host_index.UNREAD_BIT
        if rng.random() < 0.5:
            rng.shuffle(blocks)
        free = [c for c in columns if c != anchor]
        some = set(rng.sample(free, rng.randrange(len(free) + 1) if rng.random() < 0.5 else 0))
        columns = [c for c in columns if c not in some] + [c | rng.choice([1, 2]) << host_index.UNREAD_BIT for c in some]
        rows.append((blocks, columns))
    return rows


def upload(call, rows_of):
    """Compressed rows from rows_of[sequence][slot][row] = (blocks, columns)."""
    lists = ([0], []), ([0], [])
    for s in range(len(call.sequences)):
        for slot in range(len(call.heads)):
            rows = rows_of[s][slot]
            for row in range(call.most_query_blocks):
                for (offsets, entries), listed in zip(lists, rows[row] if row < len(rows) else ([], [])):
                    entries.extend(listed)
                    offsets.append(len(entries))
    make = lambda x, t: torch.tensor(x or [0], dtype=t, device=DEVICE)
    return Index(make(lists[0][0], torch.int64), make(lists[0][1], torch.int32),
                 make(lists[1][0], torch.int64), make(lists[1][1], torch.int32))  # fmt: skip


def check_dense(dtype, dim, heads, sizes, token_major=False, want_lse=True):
    q, k, v = tensors(*heads, *sizes, dim, dtype, token_major)
    call = Call(q, k, v, want_lse=want_lse)
    call.attend("dense")
    compare(call, [[causal(*sizes)] * heads[0]], f"dense {dtype} d{dim} {heads} {sizes} {token_major}")


def check_a_shape(dtype, dim, heads, sizes, options):
    q, k, v = tensors(*heads, *sizes, dim, dtype)
    call = Call(q, k, v, options=options[: heads[0]])
    call.attend("a_shape")
    masks = [host_index.mask(host_index.a_shape(*sizes, *o), *sizes, torch, ORACLE) for o in call.options]
    compare(call, [masks], f"a-shape {dtype} d{dim} {heads} {sizes} {options}")


def check_rows(dtype, dim, heads, sizes, seed, pattern="rows"):
    rng = random.Random(seed)
    q, k, v = tensors(*heads, *sizes, dim, dtype)
    call = Call(q, k, v)
    rows = [[random_rows(*sizes, rng) for _ in range(heads[0])]]
    index = upload(call, rows)
    call.attend(pattern, index)
    masks = [[host_index.mask(r, *sizes, torch, ORACLE) for r in rows[0]]]
    compare(call, masks, f"{pattern} {dtype} d{dim} {heads} {sizes} seed {seed}")
    cells = call.count_cells(index).tolist()
    expect(cells == [int(m.sum()) for m in masks[0]], f"count_cells {sizes} seed {seed}")


def check_batch(dtype, dim, seed):
    rng = random.Random(seed)
    lengths = [(1, 1), (63, 200), (300, 300), (129, 129), (65, 777)]
    sequences, queries, keys = [], 0, 0
    for q, k in lengths:
        sequences.append((queries, q, keys, k))
        queries, keys = queries + q + 3, keys + k + 5
    q, k, v = tensors(8, 2, queries, keys, dim, dtype)
    heads = [6, 1, 3]
    for pattern in ("dense", "rows", "a_shape"):
        options = [[0, 64], [70, 100], [200, 1]]
        call = Call(q, k, v, sequences, heads, options)
        if pattern == "rows":
            rows = [[random_rows(*size, rng) for _ in heads] for size in lengths]
        elif pattern == "dense":
            rows = [[host_index.everything(*size)] * 3 for size in lengths]
        else:
            rows = [[host_index.a_shape(*size, *o) for o in options] for size in lengths]
        call.attend(pattern, upload(call, rows) if pattern == "rows" else None)
        masks = [[host_index.mask(r, *size, torch, ORACLE) for r in of] for of, size in zip(rows, lengths)]
        compare(call, masks, f"batch {pattern} {dtype} d{dim} seed {seed}")
        untouched = [h for h in range(8) if h not in heads]
        expect(call.out[untouched].isnan().all(), f"batch {pattern}: wrote other heads")
        gaps = torch.ones(queries, dtype=torch.bool)
        for first, count, _, _ in sequences:
            gaps[first : first + count] = False
        expect(call.out[:, gaps].isnan().all(), f"batch {pattern}: wrote between sequences")


def check_nan(dtype, dim, bad, tensor, seed=3):
    """A NaN or infinity reaches exactly the rows that read it."""
    sizes, heads, rng = (200, 333), (2, 1), random.Random(seed)
    for pattern in ("dense", "rows"):
        q, k, v = tensors(*heads, *sizes, dim, dtype)
        rows = [[random_rows(*sizes, rng) if pattern == "rows" else host_index.everything(*sizes)] * 2]
        mask = host_index.mask(rows[0][0], *sizes, torch, ORACLE)
        run = lambda: Call(q, k, v).attend(pattern, upload(Call(q, k, v), rows) if pattern == "rows" else None)
        clean = run()[0].to(ORACLE)
        keys = [int(mask[100].nonzero()[-1]), 150, 250, 300]
        if tensor == "q":
            q[0, 77, 5] = bad
            hit = torch.zeros(2, sizes[0], dim, dtype=torch.bool, device=ORACLE)
            hit[0, 77] = True
        else:
            for key in keys:
                (k if tensor == "k" else v)[0, key, 5] = bad
            reads = mask[:, keys].any(1)
            hit = torch.zeros(2, sizes[0], dim, dtype=torch.bool, device=ORACLE)
            hit[:, reads, 5 if tensor == "v" else slice(None)] = True
        got = run()[0].to(ORACLE)
        what = f"{pattern} {dtype} d{dim} {bad} in {tensor}"
        # Numbers that are worked out again keep weights in float32: they differ by less than the rounding of those.
        difference = (got[~hit].float() - clean[~hit].float()).abs().max().item()
        allowed = 4 * EPSILON[dtype] * v[v.isfinite()].abs().max().item()
        expect(difference <= allowed, f"{what}: reaches rows that do not read it, by {difference:.3e}")
        if bad != bad or tensor == "v":
            expect((~got[hit].isfinite()).all(), what + ": lost")
        if bad == torch.inf and tensor == "v":
            expect((got[hit] == torch.inf).all(), what + ": not infinite")


def main():
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    small = "--small" in sys.argv
    types = [t for t, name in TYPES.items() if name in sys.argv] or list(TYPES)
    tiny = "--tiny" in sys.argv
    dims = [int(x) for x in sys.argv if x.isdigit()] or [64, 96, 128, 256] + ([] if small or tiny else [8, 40, 80, 112, 192])
    if tiny:
        check_every_kernel(types, dims)
        finish()
    sizes = [(1, 1), (65, 65), (130, 200)] if small else [
        (1, 1), (63, 63), (64, 64), (65, 65), (113, 113), (127, 127), (128, 128), (129, 129), (1023, 1023),
        (1, 500), (65, 1000), (128, 2048), (300, 333)]  # fmt: skip
    options = [[0, 1], [100, 70], [64, 128], [30, 400], [96, 65], [1, 1], [200, 500], [95, 64]]
    for dtype in types:
        for dim in dims:
            for i, size in enumerate(sizes):
                heads = [(2, 2), (4, 1), (8, 1)][i % 3] if not small else (2, 1)
                check_dense(dtype, dim, heads, size, token_major=i % 2 == 1, want_lse=i % 4 != 3)
                check_a_shape(dtype, dim, heads, size, options)
                check_rows(dtype, dim, heads, size, seed=i)
        for dim in dims:
            check_batch(dtype, dim, seed=5)
            for pattern in ("block_sparse", "vertical_slash"):  # the same rows, in images of their own
                check_rows(dtype, dim, (2, 1), (130, 200), seed=7, pattern=pattern)
            for bad in (float("nan"),) if small else (float("nan"), float("inf")):
                for tensor in "qkv":
                    check_nan(dtype, dim, bad, tensor)
        if not small:
            check_dense(dtype, 128, (4, 1), (4224, 4224))
            check_a_shape(dtype, 128, (4, 1), (4224, 4224), [[128, 1024], [1024, 2048], [0, 100], [33, 64]])
            for pattern in ("rows", "block_sparse", "vertical_slash"):
                check_rows(dtype, 128, (4, 1), (4224, 4224), seed=9, pattern=pattern)
    finish()


def check_every_kernel(types, dims):
    """As few cases as launch every kernel once, for the slowest tools of compute-sanitizer."""
    for dtype in types:
        is_wide = dtype == torch.float32  # without tensor cores, which makes the tools' work many times more
        size = (70, 100) if is_wide else (130, 200)
        for dim in dims:
            check_dense(dtype, dim, (2, 1), size)
            check_a_shape(dtype, dim, (2, 1), size, [[70, 64], [0, 1]])
            for pattern in ("rows", "block_sparse", "vertical_slash"):
                check_rows(dtype, dim, (2, 1), size, seed=7, pattern=pattern)
            if not is_wide:
                check_nan(dtype, dim, float("nan"), "v")


def finish():
    torch.cuda.synchronize()
    print(f"check_attention: {cases} heads compared, {failures} failures", flush=True)
    sys.exit(failures != 0)


main()
