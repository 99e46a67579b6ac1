// Counts and writes the rows of a Vertical-Slash index.
//
// Grid: (query blocks / 8 rounded up, head slots, sequences): what runs at the same time reads the lists
// of few heads. Block: 256, a warp per row.
#pragma once

#include "row_pieces.cuh"

namespace vertical_slash {

// Calls use(ranges, kept columns) for the row of this warp.
template <class Use>
__device__ inline void forRow(const VerticalSlashParams& params, int queryBlock, Use use) {
  const Sequence sequence = params.attention.sequences[blockIdx.z];
  const int64_t unit = params.unit(blockIdx.z, blockIdx.y);
  const bool all = Options(params.attention, blockIdx.y).keepsAll(sequence.keyTokens);
  const RowRanges ranges(params, sequence, unit, queryBlock, all);
  const KeptColumns kept = {all ? nullptr : params.wordsOf(unit, false)};
  use(ranges, kept, params.columns + unit * params.mostVerticals);
}

__device__ inline bool hasRow(const VerticalSlashParams& params, int queryBlock) {
  return queryBlock * heddle::kQueryRows < params.attention.sequences[blockIdx.z].queryTokens;
}

// offsets[row + 1] = entries of the row.
__device__ inline void countRow(const VerticalSlashParams& params) {
  const heddle::AttentionParams& attention = params.attention;
  const int queryBlock = blockIdx.x * 8 + threadIdx.x / 32;
  if (queryBlock >= attention.mostQueryBlocks) {
    return;
  }
  int blocks = 0;
  int columns = 0;
  if (hasRow(params, queryBlock)) {
    forRow(params, queryBlock, [&](const RowRanges& ranges, const KeptColumns& kept, const int32_t*) {
      forPieces(ranges, kept, [&](const RowPiece& piece) {
        blocks += piece.blocks;
        columns += piece.columns();
      });
    });
    blocks = __reduce_add_sync(~0u, blocks);
    columns = __reduce_add_sync(~0u, columns);
  }
  if (threadIdx.x % 32 == 0) {
    const int64_t row = heddle::indexRow(attention, blockIdx.z, blockIdx.y, queryBlock);
    attention.blockOffsets[row + 1] = blocks;
    attention.columnOffsets[row + 1] = columns;
  }
}

// Entries of all lanes in one list: lane l has those from ends of the lanes before it up to its own end.
struct LaneEntries {
  int count;
  int end;
  int total;

  __device__ explicit LaneEntries(int own)
      : count(own), end(heddle::sumUpToLane(own)), total(__shfl_sync(~0u, end, 31)) {}

  // The lane that has entry i < total.
  __device__ int ownerOf(int i) const {
    int owner = 0;
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
      owner += __shfl_sync(~0u, end, owner + step - 1) <= i ? step : 0;
    }
    return owner;
  }

  // The place of entry i within what its owner has.
  __device__ int placeIn(int owner, int i) const { return i - __shfl_sync(~0u, end - count, owner); }
};

__device__ inline void writeBlocks(const RowPiece& piece, const LaneEntries& entries, int32_t* target) {
  for (int first = 0; first < entries.total; first += 32) {
    const int i = min(first + int(threadIdx.x % 32), entries.total - 1);
    const int owner = entries.ownerOf(i);
    const int place = entries.placeIn(owner, i);
    target[i] = __shfl_sync(~0u, piece.firstBlock, owner) + place * heddle::kKeyColumns;
  }
}

// Copies what one lane has in the list of columns from entry `first` on, in whole warps; returns where
// that ends.
__device__ inline int copyColumns(const RowPiece& piece, const LaneEntries& entries, int first,
                                  const int32_t* columns, int32_t* target) {
  const int owner = __popc(__ballot_sync(~0u, entries.end <= first));
  const int place = entries.placeIn(owner, first) - __shfl_sync(~0u, piece.rest, owner);
  const int count = (__shfl_sync(~0u, entries.end, owner) - first) / 32 * 32;
  const int source = __shfl_sync(~0u, piece.firstGap, owner) + place;
  if (place < 0) {
    return first;
  }
  // Several loads are under way before the first store, which the compiler may not move them past.
  constexpr int kAtOnce = 8;
  for (int i = threadIdx.x % 32; i < count; i += 32 * kAtOnce) {
    int32_t copied[kAtOnce];
#pragma unroll
    for (int n = 0; n < kAtOnce; n++) {
      copied[n] = i + 32 * n < count ? columns[source + i + 32 * n] : 0;
    }
#pragma unroll
    for (int n = 0; n < kAtOnce; n++) {
      if (i + 32 * n < count) {
        target[first + i + 32 * n] = copied[n];
      }
    }
  }
  return first + count;
}

__device__ inline void writeColumns(const RowPiece& piece, const LaneEntries& entries,
                                    const int32_t* columns, int32_t* target) {
  int first = 0;
  while (first < entries.total) {
    const int end = copyColumns(piece, entries, first, columns, target);
    if (end > first) {
      first = end;
      continue;
    }
    const int i = min(first + int(threadIdx.x % 32), entries.total - 1);
    const int owner = entries.ownerOf(i);
    const int rest = __shfl_sync(~0u, piece.rest, owner);
    const int place = entries.placeIn(owner, i);
    const int firstRest = __shfl_sync(~0u, piece.firstRest, owner);
    const int firstGap = __shfl_sync(~0u, piece.firstGap, owner);
    target[i] = place < rest ? firstRest + place : columns[firstGap + place - rest];
    first += 32;
  }
}

// Writes the entries of the row.
__device__ inline void emitRow(const VerticalSlashParams& params) {
  const heddle::AttentionParams& attention = params.attention;
  const int queryBlock = blockIdx.x * 8 + threadIdx.x / 32;
  if (!hasRow(params, queryBlock)) {
    return;
  }
  const int64_t row = heddle::indexRow(attention, blockIdx.z, blockIdx.y, queryBlock);
  int32_t* blockStarts = attention.blockStarts + attention.blockOffsets[row];
  int32_t* columns = attention.columns + attention.columnOffsets[row];
  forRow(params, queryBlock,
         [&](const RowRanges& ranges, const KeptColumns& kept, const int32_t* keptList) {
           forPieces(ranges, kept, [&](const RowPiece& piece) {
             const LaneEntries blocks(piece.blocks);
             writeBlocks(piece, blocks, blockStarts);
             blockStarts += blocks.total;
             const LaneEntries ofColumns(piece.columns());
             writeColumns(piece, ofColumns, keptList, columns);
             columns += ofColumns.total;
           });
         });
}

}  // namespace vertical_slash
