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
HOPPER_SHARED = {64: 167368, 96: 231744, 128: 231744, 256: 198424}
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
        grid = (len(self.heads), ceil_div(self.most_query_blocks, 8), len(self.sequences))
        params = self.params(index) + struct.pack("<Q", cells.data_ptr())
        image("rows").launch("heddle_count_cells", grid, (256, 1, 1), 0, params)
        return cells

    def empty(self, *shape, dtype=torch.float32):
        return torch.empty(shape, dtype=dtype, device=self.q.device)

    def offsets(self):
        return self.empty(self.rows + 1, dtype=torch.int64)
