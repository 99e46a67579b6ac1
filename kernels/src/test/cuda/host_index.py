"""Index rows as the Java builders make them: a plain port of BlockIndexBuilder and the patterns.

An entry may say that one half of its row's queries does not read the block or column (parameters.cuh).
"""

from bisect import bisect_left

from heddle_kernels import KEY_COLUMNS, QUERY_ROWS

HALF_ROWS = QUERY_ROWS // 2
UNREAD_BIT = 29
KEY_BITS = (1 << UNREAD_BIT) - 1


def is_read(entry, half):
    return entry >> (UNREAD_BIT + half) & 1 == 0


def query_blocks(query_tokens, key_tokens):
    """(first position, visible keys, queries) of each query block."""
    before = key_tokens - query_tokens
    for first in range(0, query_tokens, QUERY_ROWS):
        end = min(first + QUERY_ROWS, query_tokens)
        yield before + first, before + end, end - first


def cut_ranges(ranges, visible):
    """(blocks, columns) of the ranges of one row: BlockIndexBuilder.endRow."""
    ranges = sorted((max(0, a), min(b, visible)) for a, b in ranges if max(0, a) < min(b, visible))
    blocks, columns, covered, i = [], [], 0, 0
    while i < len(ranges):
        first, end = max(ranges[i][0], covered), ranges[i][1]
        i += 1
        while i < len(ranges) and ranges[i][0] <= end:
            end = max(end, ranges[i][1])
            i += 1
        start = first
        while start < end:
            if 2 * (end - start) < KEY_COLUMNS:
                columns.extend(range(start, end))
                start = end
                break
            blocks.append(start)
            start += KEY_COLUMNS
        covered = max(covered, start)
    return blocks, columns


def runs(ascending, reach):
    joined = []
    for n in ascending:
        if joined and n - joined[-1][1] <= reach:
            joined[-1][1] = n
        else:
            joined.append([n, n])
    return joined


def a_shape(query_tokens, key_tokens, sink, local):
    return [cut_ranges([(0, sink), (first - local + 1, visible)], visible)
            for first, visible, _ in query_blocks(query_tokens, key_tokens)]  # fmt: skip


def vertical_slash(query_tokens, key_tokens, columns, offsets):
    rows = []
    for first, visible, queries in query_blocks(query_tokens, key_tokens):
        ranges = [(first - b, visible - a) for a, b in runs(offsets, queries)]
        blocks, singles = cut_ranges(ranges + [(a, b + 1) for a, b in runs(columns, 1)], visible)
        bits = [unread_bits(start, first, visible, columns, offsets) for start in blocks]
        for start, unread in zip(blocks, bits):
            if unread != 0:
                inside = range(*(bisect_left(columns, end) for end in (start, min(start + KEY_COLUMNS, visible))))
                singles += [columns[i] | (unread ^ 3 << UNREAD_BIT) for i in inside]
        rows.append(([start | unread for start, unread in zip(blocks, bits)], singles))
    return rows


def unread_bits(start, first, visible, columns, offsets):
    """Which half of the queries from position `first` on requires no key of a block but a few columns."""
    end = min(start + KEY_COLUMNS, visible)
    unread = []
    for half in range(2):
        positions = range(first + half * HALF_ROWS, min(first + (half + 1) * HALF_ROWS, visible))
        if not positions or bisect_left(offsets, positions[0] - end + 1) == bisect_left(offsets, positions[-1] - start + 1):
            unread.append(half)
    if len(unread) != 1 or bisect_left(columns, end) - bisect_left(columns, start) > 8:
        return 0
    return 1 << (UNREAD_BIT + unread[0])


def ascending(row):
    """A row of entries that came in any order."""
    return tuple(sorted(entries, key=lambda entry: (entry & KEY_BITS, entry)) for entries in row)


def required(columns, offsets, query_tokens, key_tokens, torch, device):
    """Which query must read which key, [queryTokens][keyTokens]."""
    kept = torch.zeros(2, key_tokens + 1, dtype=torch.bool)
    kept[0, columns], kept[1, offsets] = True, True
    kept = kept.to(device)
    keys = torch.arange(key_tokens, device=device)[None, :]
    offset = torch.arange(query_tokens, device=device)[:, None] + key_tokens - query_tokens - keys
    return (kept[0][keys] | kept[1][offset.clamp(min=0)]) & (offset >= 0)


def everything(query_tokens, key_tokens):
    return [cut_ranges([(0, visible)], visible) for _, visible, _ in query_blocks(query_tokens, key_tokens)]


def mask(rows, query_tokens, key_tokens, torch, device):
    """Which query reads which key, [queryTokens][keyTokens]."""
    reads = torch.zeros(query_tokens, key_tokens, dtype=torch.bool, device=device)
    for number, (blocks, columns) in enumerate(rows):
        for half in range(2):
            line = torch.zeros(key_tokens + KEY_COLUMNS, dtype=torch.bool)
            for entry in blocks:
                if is_read(entry, half):
                    line[entry & KEY_BITS : (entry & KEY_BITS) + KEY_COLUMNS] = True
            line[[entry & KEY_BITS for entry in columns if is_read(entry, half)]] = True
            first = number * QUERY_ROWS + half * HALF_ROWS
            reads[first : first + HALF_ROWS] = line[:key_tokens].to(device)
    positions = torch.arange(query_tokens, device=device)[:, None] + key_tokens - query_tokens
    return reads & (torch.arange(key_tokens, device=device)[None, :] <= positions)
