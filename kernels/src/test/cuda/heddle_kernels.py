"""Heddle's kernels on PyTorch tensors: packs parameters, sizes scratch, queues launches in order.

Tensors are [head][token][dim] of any strides; `sequences` is a list of
(firstQuery, queryTokens, firstKey, keyTokens).
"""

import dataclasses
import os
import struct

import torch

from device import Image, tensor_map

QUERY_ROWS, KEY_COLUMNS = 128, 64
TYPES = {torch.float16: "f16", torch.bfloat16: "bf16", torch.float32: "f32"}
ATTEND_SHARED = {
    2: {64: 50304, 96: 74880, 128: 99456, 256: 132224},
    4: {64: 52736, 96: 69120, 128: 85504, 256: 151040},
}
HOPPER_SHARED = {64: 167304, 96: 231712, 128: 231712, 256: 198392}
PROBE_SHARED = {
    2: {64: 37376, 96: 45568, 128: 53760, 256: 86528},
    4: {64: 55808, 96: 72192, 128: 88576, 256: 154112},
}
PORTABLE = "HEDDLE_PORTABLE" in os.environ  # leave the kernels for compute capability 9.0 alone
_images = {}


def image(name):
    if name not in _images:
        _images[name] = Image(os.path.join(os.environ.get("HEDDLE_IMAGES", "."), name + ".fatbin"))
    return _images[name]


def ceil_div(a, b):
    return -(-a // b)


def kernel_dim(head_dim):
    return next(d for d in (64, 96, 128, 256) if head_dim <= d)


@dataclasses.dataclass
class Index:
    """Compressed rows in device memory."""

    block_offsets: torch.Tensor
    block_starts: torch.Tensor
    column_offsets: torch.Tensor
    columns: torch.Tensor

    def addresses(self):
        return [t.data_ptr() for t in (self.block_offsets, self.block_starts, self.column_offsets, self.columns)]

    def row(self, row):
        """(block starts, columns) of one row."""
        b, c = self.block_offsets[row : row + 2].tolist(), self.column_offsets[row : row + 2].tolist()
        return self.block_starts[b[0] : b[1]].tolist(), self.columns[c[0] : c[1]].tolist()


class Call:
    """One layer's tensors, and the heads of it that one pattern computes."""

    def __init__(self, q, k, v, sequences=None, heads=None, options=None, scale=None, want_lse=True, out=None):
        self.q, self.k, self.v = q, k, v
        self.sequences = sequences or [(0, q.shape[1], 0, k.shape[1])]
        self.heads = list(range(q.shape[0])) if heads is None else heads
        self.options = options or [[0]] * len(self.heads)
        self.scale = q.shape[-1] ** -0.5 if scale is None else scale
        self.out = torch.full_like(q, float("nan")) if out is None else out
        self.lse = torch.full(q.shape[:2], 777.0, device=q.device) if want_lse else None
        self.most_queries = max(s[1] for s in self.sequences)
        self.most_keys = max(s[3] for s in self.sequences)
        self.most_query_blocks = ceil_div(self.most_queries, QUERY_ROWS)
        self.units = len(self.sequences) * len(self.heads)
        self.rows = self.units * self.most_query_blocks
        table = lambda x: torch.tensor(x, dtype=torch.int32, device=q.device)
        self.tables = [table(self.sequences), table(self.heads), table(self.options)]
        self.name = TYPES[q.dtype]
        self.dim = kernel_dim(q.shape[-1])
        self.hopper = None
        if q.element_size() == 2 and torch.cuda.get_device_capability() == (9, 0):
            maps = b"".join(tensor_map(t) for t in (q, k, v)) + bytes(64)
            self.hopper = torch.tensor(list(maps), dtype=torch.uint8, device=q.device)

    def params(self, index=None):
        strides = [s for t in (self.q, self.k, self.v, self.out) for s in t.stride()[:2]]
        return struct.pack(
            "<5Q9q7Q5ifiiQ",
            *[t.data_ptr() for t in (self.q, self.k, self.v, self.out)],
            0 if self.lse is None else self.lse.data_ptr(),
            *strides,
            0 if self.lse is None else self.lse.stride(0),
            *[t.data_ptr() for t in self.tables],
            *(index.addresses() if index else [0] * 4),
            len(self.sequences), len(self.heads), self.most_query_blocks, self.q.shape[0] // self.k.shape[0],
            len(self.options[0]), self.scale, self.q.shape[-1], 0,
            0 if self.hopper is None else self.hopper.data_ptr(),
        )  # fmt: skip

    def attend(self, pattern, index=None, portable=False):
        """`portable`: with the kernels that every device has."""
        size = self.q.element_size()
        if self.hopper is not None and not portable and not PORTABLE:
            tiles = self.units * self.most_query_blocks
            image(pattern).launch(
                f"heddle_{pattern}_attend_hopper_{self.name}_{self.dim}",
                (min(tiles, torch.cuda.get_device_properties(0).multi_processor_count), 1, 1), (384, 1, 1),
                HOPPER_SHARED[self.dim], self.params(index),
            )  # fmt: skip
            return self.out, self.lse
        tiles = self.most_query_blocks * (1 if size == 2 else 2)
        threads = 128 if size == 2 and self.dim <= 128 else 256
        file = pattern
        image(file).launch(
            f"heddle_{pattern}_attend_{self.name}_{self.dim}",
            (len(self.heads), tiles, len(self.sequences)), (threads, 1, 1),
            ATTEND_SHARED[size][self.dim], self.params(index),
        )  # fmt: skip
        return self.out, self.lse

    def count_cells(self, index):
        cells = torch.zeros(len(self.heads), dtype=torch.int64).to(self.q.device)  # a copy, which initcheck sees
        grid = (len(self.heads), ceil_div(self.most_query_blocks, 128), len(self.sequences))
        params = self.params(index) + struct.pack("<Q", cells.data_ptr())
        image("rows").launch("heddle_count_cells", grid, (128, 1, 1), 0, params)
        return cells

    def empty(self, *shape, dtype=torch.float32):
        return torch.empty(shape, dtype=dtype, device=self.q.device)

    def offsets(self):
        return self.empty(self.rows + 1, dtype=torch.int64)


class BlockSparse:
    """Index building of Block-Sparse; options (blocks, sink-blocks)."""

    def __init__(self, call, pass_bytes=1 << 29):
        self.call = call
        q, slots, sequences = call.q, len(call.heads), len(call.sequences)
        self.key_blocks = ceil_div(call.most_keys, KEY_COLUMNS)
        most = max(min(self.key_blocks, max(o[0], o[1] + 3)) for o in call.options)
        self.index = Index(call.offsets(), call.empty(call.rows * most, dtype=torch.int32),
                           call.offsets(), call.empty(call.rows * 31, dtype=torch.int32))  # fmt: skip
        rows = max(64, pass_bytes // (4 * self.key_blocks * call.units) // 64 * 64)
        self.pass_rows = min(rows, ceil_div(call.most_query_blocks, 64) * 64)
        self.mean_queries = call.empty(call.rows, q.shape[-1])
        self.mean_keys = call.empty(sequences * call.k.shape[0] * self.key_blocks, q.shape[-1])
        self.scores = call.empty(call.units, self.pass_rows, self.key_blocks)

    def params(self, first_row=0):
        return self.call.params(self.index) + struct.pack(
            "<3Q4i", self.mean_queries.data_ptr(), self.mean_keys.data_ptr(), self.scores.data_ptr(),
            self.call.k.shape[0], self.key_blocks, first_row, self.pass_rows)  # fmt: skip

    def launch(self, step, grid, block, first_row=0):
        image("block_sparse").launch("heddle_block_sparse_" + step, grid, block, 0, self.params(first_row))

    def build(self):
        call = self.call
        slots, sequences = len(call.heads), len(call.sequences)
        self.launch("pool_queries_" + call.name, (ceil_div(call.most_query_blocks, 8), slots, sequences), (32, 8, 1))
        self.launch("pool_keys_" + call.name, (ceil_div(self.key_blocks, 8), call.k.shape[0], sequences), (32, 8, 1))
        self.launch("count", (slots, ceil_div(call.most_query_blocks, 128), sequences), (128, 1, 1))
        self.launch("scan", (2, 1, 1), (1024, 1, 1))
        for first in range(0, call.most_query_blocks, self.pass_rows):
            grid = (ceil_div(self.key_blocks, 64), ceil_div(self.pass_rows, 64), call.units)
            self.launch("score", grid, (256, 1, 1), first)
            self.launch("select", (slots, self.pass_rows, sequences), (256, 1, 1), first)
        return self.index


class VerticalSlash:
    """Index building of Vertical-Slash; options (verticals, slashes, probe-queries, sink, local)."""

    def __init__(self, call):
        self.call = call
        keys, units, options = call.most_keys, call.units, call.options
        self.probes = max(min(o[2], call.most_queries) for o in options)
        self.verticals = max(1, max(min(max(o[0], o[3]), keys) for o in options))
        self.slashes = max(1, max(min(max(o[1], o[4]), keys) for o in options))
        self.chunks = ceil_div(keys, 512)
        ints = dict(dtype=torch.int32)
        self.scratch = {
            "column_sums": call.empty(units, keys), "offset_sums": call.empty(units, keys),
            "partials": call.empty(units, self.probes, self.chunks, 2), "statistics": call.empty(units, self.probes, 2),
            "columns": call.empty(units, self.verticals, **ints), "offsets": call.empty(units, self.slashes, **ints),
            "column_runs": call.empty(units, self.verticals, 2, **ints),
            "offset_runs": call.empty(units, self.slashes, 2, **ints),
            "tail_runs": call.empty(units, self.slashes, 2, **ints), "run_counts": call.empty(units, 4, **ints),
        }  # fmt: skip
        nothing = call.empty(1, **ints)
        self.index = Index(call.offsets(), nothing, call.offsets(), nothing)

    def launch(self, step, grid, block, shared_bytes=0):
        params = self.call.params(self.index) + struct.pack(
            "<10Q4i", *[t.data_ptr() for t in self.scratch.values()],
            self.call.most_keys, self.probes, self.verticals, self.slashes)  # fmt: skip
        image("vertical_slash").launch("heddle_vertical_slash_" + step, grid, block, shared_bytes, params)

    def probe(self):
        call = self.call
        slots, sequences = len(call.heads), len(call.sequences)
        shared = PROBE_SHARED[call.q.element_size()][call.dim]
        grid = (slots, self.chunks, sequences)
        self.launch(f"probe_statistics_{call.name}_{call.dim}", grid, (128, 1, 1), shared)
        self.launch("combine_statistics", (slots, ceil_div(self.probes, 8), sequences), (256, 1, 1))
        self.launch(f"probe_sums_{call.name}_{call.dim}", grid, (128, 1, 1), shared)

    def select(self):
        self.launch("select", (len(self.call.heads), 2, len(self.call.sequences)), (1024, 1, 1))

    def count(self):
        call = self.call
        self.row_grid = (len(call.heads), ceil_div(call.most_query_blocks, 128), len(call.sequences))
        self.launch("count", self.row_grid, (128, 1, 1))
        self.launch("scan", (2, 1, 1), (1024, 1, 1))

    def allocate(self):
        blocks, columns = int(self.index.block_offsets[-1]), int(self.index.column_offsets[-1])
        self.index.block_starts = self.call.empty(max(1, blocks), dtype=torch.int32)
        self.index.columns = self.call.empty(max(1, columns), dtype=torch.int32)

    def emit(self):
        self.launch("emit", self.row_grid, (128, 1, 1))

    def build(self):
        self.probe()
        self.select()
        self.count()
        self.allocate()
        self.emit()
        return self.index
