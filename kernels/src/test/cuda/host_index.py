"""Index rows as the Java builders make them: a plain port of BlockIndexBuilder and the patterns."""

from heddle_kernels import KEY_COLUMNS, QUERY_ROWS


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
        rows.append(cut_ranges(ranges + [(a, b + 1) for a, b in runs(columns, 1)], visible))
    return rows


def everything(query_tokens, key_tokens):
    return [cut_ranges([(0, visible)], visible) for _, visible, _ in query_blocks(query_tokens, key_tokens)]


def mask(rows, query_tokens, key_tokens, torch, device):
    """Which query reads which key, [queryTokens][keyTokens]."""
    reads = torch.zeros(query_tokens, key_tokens, dtype=torch.bool, device=device)
    for number, (blocks, columns) in enumerate(rows):
        line = torch.zeros(key_tokens + KEY_COLUMNS, dtype=torch.bool)
        for start in blocks:
            line[start : start + KEY_COLUMNS] = True
        line[columns] = True
        reads[number * QUERY_ROWS : (number + 1) * QUERY_ROWS] = line[:key_tokens].to(device)
    positions = torch.arange(query_tokens, device=device)[:, None] + key_tokens - query_tokens
    return reads & (torch.arange(key_tokens, device=device)[None, :] <= positions)
