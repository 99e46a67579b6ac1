// The rows of a Vertical-Slash index: runs of offsets and of columns, merged into blocks and columns.
//
// A query block at positions P to Q requires of the kept offsets a to b the keys P - b to Q - a. The
// ranges of all runs are merged in ascending order, joined where they touch or overlap, and cut into
// blocks of 64 keys; a rest of less than half a block becomes columns. This is what
// VerticalSlashIndexBuilder and BlockIndexBuilder do on the host, step by step.
#pragma once

#include "vertical_slash_params.cuh"

namespace vertical_slash {

// Ranges of keys in ascending order, from two ascending sequences.
struct Ranges {
  const int2* slashRuns;
  const int2* columnRuns;
  int slash;  // the next run of offsets, from the last one down
  int column;
  int columnCount;
  int firstPosition;
  int visibleKeys;
  int2 slashRange;  // first key and end; both at the end of all keys when there is none left
  int2 columnRange;

  __device__ void nextSlash() {
    while (slash > 0) {
      const int2 run = slashRuns[--slash];
      slashRange = {max(0, firstPosition - run.y), visibleKeys - run.x};
      if (slashRange.x < slashRange.y) {
        return;
      }
    }
    slashRange = {INT32_MAX, INT32_MAX};
  }

  __device__ void nextColumn() {
    columnRange = {INT32_MAX, INT32_MAX};
    if (column < columnCount) {
      const int2 run = columnRuns[column++];
      if (run.x < visibleKeys) {
        columnRange = {run.x, min(run.y + 1, visibleKeys)};
      }
    }
  }

  // The first key of the next range; INT32_MAX when there is none.
  __device__ int first() const { return min(slashRange.x, columnRange.x); }

  // Takes the next range and returns its end.
  __device__ int take() {
    if (slashRange.x <= columnRange.x) {
      const int end = slashRange.y;
      nextSlash();
      return end;
    }
    const int end = columnRange.y;
    nextColumn();
    return end;
  }
};

// Joins the ranges and cuts them: calls block(start) and columns(first, end) in ascending order.
template <class Block, class Columns>
__device__ inline void cutRanges(Ranges& ranges, Block block, Columns columns) {
  using heddle::kKeyColumns;
  int covered = 0;  // keys below this are in a block or a column already, as far as they are needed
  while (ranges.first() != INT32_MAX) {
    int start = max(ranges.first(), covered);
    int end = ranges.take();
    while (ranges.first() <= end) {
      end = max(end, ranges.take());
    }
    while (end - start >= kKeyColumns / 2) {
      block(start);
      start += kKeyColumns;
    }
    if (start < end) {
      columns(start, end);
      start = end;
    }
    covered = max(covered, start);
  }
}

// The ranges of one row. Where everything is kept there is one of all keys.
__device__ inline Ranges rangesOfRow(const VerticalSlashParams& params, int queryBlock,
                                     const heddle::QueryBlock& block) {
  const heddle::AttentionParams& attention = params.attention;
  const heddle::Sequence sequence = attention.sequences[blockIdx.z];
  const int64_t unit = int64_t(blockIdx.z) * attention.headSlots + blockIdx.x;
  Ranges ranges;
  ranges.firstPosition = block.firstPosition;
  ranges.visibleKeys = block.visibleKeys;
  if (Options(attention, blockIdx.x).keepsAll(sequence.keyTokens)) {
    ranges.slash = 0;
    ranges.column = 0;
    ranges.columnCount = 0;
    ranges.slashRange = {0, block.visibleKeys};
    ranges.columnRange = {INT32_MAX, INT32_MAX};
    return ranges;
  }
  const int4 counts = params.runCounts[unit];
  const bool full = (queryBlock + 1) * heddle::kQueryRows <= sequence.queryTokens;
  ranges.slashRuns = (full ? params.offsetRuns : params.tailRuns) + unit * params.mostSlashes;
  ranges.slash = full ? counts.y : counts.z;
  ranges.columnRuns = params.columnRuns + unit * params.mostVerticals;
  ranges.column = 0;
  ranges.columnCount = counts.x;
  ranges.nextSlash();
  ranges.nextColumn();
  return ranges;
}

// offsets[row + 1] = entries of the row. Grid: (head slots, query blocks / 128 rounded up, sequences).
// Block: 128, a thread per row.
__device__ inline void countRow(const VerticalSlashParams& params) {
  const heddle::AttentionParams& attention = params.attention;
  const heddle::Sequence sequence = attention.sequences[blockIdx.z];
  const int queryBlock = blockIdx.y * blockDim.x + threadIdx.x;
  if (queryBlock >= attention.mostQueryBlocks) {
    return;
  }
  int blocks = 0;
  int columns = 0;
  if (queryBlock * heddle::kQueryRows < sequence.queryTokens) {
    Ranges ranges = rangesOfRow(params, queryBlock, heddle::QueryBlock(sequence, queryBlock));
    cutRanges(ranges, [&](int) { blocks++; }, [&](int first, int end) { columns += end - first; });
  }
  const int64_t row = heddle::indexRow(attention, blockIdx.z, blockIdx.x, queryBlock);
  attention.blockOffsets[row + 1] = blocks;
  attention.columnOffsets[row + 1] = columns;
}

// Writes the entries of the rows. Geometry as for countRow.
__device__ inline void emitRow(const VerticalSlashParams& params) {
  const heddle::AttentionParams& attention = params.attention;
  const heddle::Sequence sequence = attention.sequences[blockIdx.z];
  const int queryBlock = blockIdx.y * blockDim.x + threadIdx.x;
  if (queryBlock * heddle::kQueryRows >= sequence.queryTokens) {
    return;
  }
  const int64_t row = heddle::indexRow(attention, blockIdx.z, blockIdx.x, queryBlock);
  int32_t* block = attention.blockStarts + attention.blockOffsets[row];
  int32_t* column = attention.columns + attention.columnOffsets[row];
  Ranges ranges = rangesOfRow(params, queryBlock, heddle::QueryBlock(sequence, queryBlock));
  cutRanges(
      ranges, [&](int start) { *block++ = start; },
      [&](int first, int end) {
        for (int key = first; key < end; key++) {
          *column++ = key;
        }
      });
}

}  // namespace vertical_slash
