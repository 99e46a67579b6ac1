"""Index building of Block-Sparse and Vertical-Slash on PyTorch tensors: as their Java classes queue it."""

import struct

import torch

from device import zero
from heddle_kernels import Index, KEY_COLUMNS, PORTABLE, ceil_div, image


class BlockSparse:
    """Index building of Block-Sparse; options (blocks, sink-blocks)."""

    def __init__(self, call, pass_bytes=1 << 29):
        self.call = call
        q, slots, sequences = call.q, len(call.heads), len(call.sequences)
        self.key_blocks = ceil_div(ceil_div(call.most_keys, KEY_COLUMNS), 4) * 4
        most = max(min(self.key_blocks, max(o[0], o[1] + 3)) for o in call.options)
        self.index = Index(call.offsets(), call.empty(call.rows * most, dtype=torch.int32),
                           call.offsets(), call.empty(call.rows * 31, dtype=torch.int32))  # fmt: skip
        rows = max(128, pass_bytes // (4 * self.key_blocks * call.units) // 128 * 128)
        self.pass_rows = min(rows, ceil_div(call.most_query_blocks, 128) * 128)
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
        heads = slots + call.k.shape[0]
        self.launch("pool_" + call.name, (ceil_div(self.key_blocks, 8), heads, sequences), (32, 8, 1))
        self.launch("count", (slots, ceil_div(call.most_query_blocks, 128), sequences), (128, 1, 1))
        self.launch("scan", (2, 1, 1), (1024, 1, 1))
        for first in range(0, call.most_query_blocks, self.pass_rows):
            grid = (ceil_div(self.key_blocks, 128), ceil_div(self.pass_rows, 128), call.units)
            self.launch("score", grid, (256, 1, 1), first)
            warps = ceil_div(self.key_blocks, 2048)
            self.launch("select", (slots, self.pass_rows, sequences), (32 * warps, 1, 1), first)
        return self.index


class VerticalSlash:
    """Index building of Vertical-Slash; options (verticals, slashes, probe-queries, sink, local)."""

    GROUP = 64  # probes, and keys, that a warp multiplies at a time
    probes_on_hopper = True  # also short prompts, for which the other probe is faster

    def __init__(self, call):
        self.call = call
        keys, units, options = call.most_keys, call.units, call.options
        self.probes = max(min(o[2], call.most_queries) for o in options)
        self.verticals = max(1, max(min(max(o[0], o[3]), keys) for o in options))
        self.slashes = max(1, max(min(max(o[1], o[4]), keys) for o in options))
        self.chunk_keys = max(256, min(512, 1 << (keys // 64).bit_length() >> 1))
        self.chunks = ceil_div(keys, self.chunk_keys)
        self.sum_length = self.chunks * self.chunk_keys
        ints = dict(dtype=torch.int32)
        teams = self.teams()
        self.team_count, self.members = len(teams), max([t[1] for t in teams], default=0)
        self.scratch = {
            "teams": torch.tensor(teams or [[0] * 6], device=call.q.device, **ints),
            "column_sums": call.empty(units, self.sum_length), "offset_sums": call.empty(units, self.sum_length),
            "overhangs": call.empty(units, self.chunks, self.GROUP),
            "partials": call.empty(units, self.GROUP, self.chunks, 2), "statistics": call.empty(units, self.GROUP, 2),
            "columns": call.empty(units, self.verticals, **ints), "offsets": call.empty(units, self.slashes, **ints),
            "words": call.empty(units, 2, self.sum_length // 32 + 2, 2, **ints),
            "long_runs": call.empty(units, self.verticals // 32 + 1, 2, **ints),
            "offset_runs": call.empty(units, self.slashes, 2, **ints),
            "tail_runs": call.empty(units, self.slashes, 2, **ints), "run_counts": call.empty(units, 4, **ints),
            "totals": call.empty(2, dtype=torch.int64),
            "digit_counts": call.empty(units, 2, 8192, **ints),
        }  # fmt: skip
        nothing = call.empty(1, **ints)
        self.index = Index(call.offsets(), nothing, call.offsets(), nothing)
        self.row_grid = (ceil_div(call.most_query_blocks, 8), len(call.heads), len(call.sequences))

    def tile_bytes(self):
        size, dim = self.call.q.element_size(), self.call.dim
        return self.GROUP * size * (dim + 4 if size == 4 else dim)

    def teams(self):
        """[sequence, members, slots...] of heads that share a key/value head and are probed."""
        call = self.call
        wide, dim = call.q.element_size() == 4, call.dim
        most = (2 if wide else 4) if dim <= 128 else (1 if wide else 2)
        group = call.q.shape[0] // call.k.shape[0]
        teams = []
        for s, (_, _, _, keys) in enumerate(call.sequences):
            by_head = {}
            for slot, head in enumerate(call.heads):
                v, o, _, sink, local = call.options[slot]
                if max(v, sink, o, local, sink + local) < keys:
                    by_head.setdefault(head // group, []).append(slot)
            for slots in by_head.values():
                count = ceil_div(len(slots), most)
                for i in range(count):
                    team = slots[i * len(slots) // count : (i + 1) * len(slots) // count]
                    teams.append([s, len(team)] + team + [0] * (4 - len(team)))
        return teams

    def launch(self, step, grid, block, shared_bytes=0, behind=0):
        params = self.call.params(self.index) + struct.pack(
            "<15Q6i", *[t.data_ptr() for t in self.scratch.values()],
            self.sum_length, self.chunk_keys, behind, self.verticals, self.slashes, 0)  # fmt: skip
        image("vertical_slash").launch("heddle_vertical_slash_" + step, grid, block, shared_bytes, params)

    def probe(self):
        call = self.call
        if self.team_count == 0:
            return
        groups = ceil_div(self.probes, self.GROUP)
        if groups > 1:
            zero(self.scratch["offset_sums"])
        suffix = f"{call.name}_{call.dim}"
        parts = 1 if call.q.element_size() == 4 else 2
        shared = self.tile_bytes() * (self.members + parts)
        grid, block = (self.team_count, ceil_div(self.chunks, parts), 1), (32 * self.members * parts, 1, 1)
        if call.hopper is not None and not PORTABLE and self.members > 1 and call.dim <= 128 and self.probes_on_hopper:
            suffix = "hopper_" + suffix
            grid, block = (self.team_count, ceil_div(self.chunks, 4), 1), (256, 1, 1)
            shared = 99360 if call.dim <= 64 else 197664
        for behind in range((groups - 1) * self.GROUP, -1, -self.GROUP):
            self.launch(f"probe_statistics_{suffix}", grid, block, shared, behind)
            self.launch("combine_statistics", (len(call.heads), 8, len(call.sequences)), (256, 1, 1), 0, behind)
            self.launch(f"probe_sums_{suffix}", grid, block, shared, behind)

    def select(self):
        lists, sequences = 2 * len(self.call.heads), len(self.call.sequences)
        parts = ceil_div(self.call.most_keys, 32768)
        zero(self.scratch["digit_counts"])
        self.launch("digits", (lists, parts, sequences), (1024, 1, 1))
        self.launch("mark", (lists, parts, sequences), (1024, 1, 1))
        self.launch("select", (lists, 1, sequences), (1024, 1, 1))

    def count(self):
        self.launch("count", self.row_grid, (256, 1, 1))
        self.launch("scan", (2, 1, 1), (1024, 1, 1))

    def allocate(self):
        blocks, columns = self.scratch["totals"].tolist()
        self.index.block_starts = self.call.empty(max(1, blocks), dtype=torch.int32)
        self.index.columns = self.call.empty(max(1, columns), dtype=torch.int32)

    def emit(self):
        self.launch("emit", self.row_grid, (256, 1, 1))

    def finish(self):
        """Everything behind the probe."""
        self.select()
        self.count()
        self.allocate()
        self.emit()
        return self.index

    def build(self):
        self.probe()
        return self.finish()
