// Counts and writes the rows of a Vertical-Slash index.
//
// Grid: (query blocks / 8 rounded up, head slots, sequences): what runs at the same time reads the lists
// of few heads. Block: 256, a warp per row.
#pragma once

#include "row_pieces.cuh"

namespace vertical_slash {

// Calls use(ranges, readers, list of columns) for the row of this warp.
template <class Use>
__device__ inline void forRow(const VerticalSlashParams& params, int queryBlock, Use use) {
  const Sequence sequence = params.attention.sequences[blockIdx.z];
  const int64_t unit = params.unit(blockIdx.z, blockIdx.y);
  const bool all = Options(params.attention, blockIdx.y).keepsAll(sequence.keyTokens);
  const RowRanges ranges(params, sequence, unit, queryBlock, all);
  const BlockReaders readers = {{all ? nullptr : params.wordsOf(unit, false)},
                                {all ? nullptr : params.wordsOf(unit, true)},
                                ranges.firstPosition,
                                ranges.visibleKeys};
  use(ranges, readers, params.columns + unit * params.mostVerticals);
}

__device__ inline bool hasRow(const VerticalSlashParams& params, int queryBlock) {
  return queryBlock * heddle::kQueryRows < params.attention.sequences[blockIdx.z].queryTokens;
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

// Calls use(start) for the blocks of a warp's pieces, 32 at a time; negative in lanes for which there is none.
template <class Use>
__device__ inline void forBlocks(const RowPiece& piece, Use use) {
  const LaneEntries entries(piece.blocks);
  for (int first = 0; first < entries.total; first += 32) {
    const int i = first + int(threadIdx.x % 32);
    const int known = min(i, entries.total - 1);
    const int owner = entries.ownerOf(known);
    const int place = entries.placeIn(owner, known);
    const int start = __shfl_sync(~0u, piece.firstBlock, owner) + place * heddle::kKeyColumns;
    use(i < entries.total ? start : -1);
  }
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
    forRow(params, queryBlock,
           [&](const RowRanges& ranges, const BlockReaders& readers, const int32_t*) {
             forPieces(ranges, readers.columns, [&](const RowPiece& piece) {
               blocks += piece.blocks;
               columns += piece.columns();
               forBlocks(piece, [&](int start) { columns += start < 0 ? 0 : readers.use(start).columns; });
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

// Where the next blocks of a row go. Those that all its queries read are written from the front; the others
// from the back, in pairs that different halves read, as long as there are such: two neighbouring blocks are
// multiplied at a time, each by its half.
struct BlockCursor {
  using Waiting = int32_t[2][64];

  int32_t* front;
  int32_t* back;
  Waiting& waiting;  // of this warp, in shared memory: entries unread by a half that have no partner yet
  int firsts = 0;    // how many of waiting[0]: at most 32 between calls, and then none of the other
  int seconds = 0;   // how many of waiting[1]: likewise

  // What a warp has: a block in each lane where `isThere`.
  __device__ void write(int32_t start, int32_t unreadBits, bool isThere) {
    const uint32_t wholes = __ballot_sync(~0u, isThere && unreadBits == 0);
    if (isThere && unreadBits == 0) {
      front[__popc(wholes & lanesBelow())] = start;
    }
    front += __popc(wholes);
    if (__any_sync(~0u, isThere && unreadBits != 0)) {
      const bool isFirst = unreadBits == heddle::unreadBy(0);
      firsts += wait(waiting[0] + firsts, start | unreadBits, isThere && isFirst);
      seconds += wait(waiting[1] + seconds, start | unreadBits, isThere && unreadBits != 0 && !isFirst);
      writePairs();
    }
  }

  // Writes what has no partner.
  __device__ void end() {
    if (lane() < firsts + seconds) {
      back[-1 - lane()] = waiting[firsts > 0 ? 0 : 1][lane()];
    }
  }

 private:
  __device__ static int lane() { return threadIdx.x % 32; }
  __device__ static uint32_t lanesBelow() { return (1u << lane()) - 1; }

  __device__ static int wait(int32_t* end, int32_t entry, bool isThere) {
    const uint32_t lanes = __ballot_sync(~0u, isThere);
    if (isThere) {
      end[__popc(lanes & lanesBelow())] = entry;
    }
    return __popc(lanes);
  }

  __device__ void writePairs() {
    __syncwarp();
    const int pairs = min(firsts, seconds);  // at most 32
    if (lane() < pairs) {
      back[-1 - 2 * lane()] = waiting[0][lane()];
      back[-2 - 2 * lane()] = waiting[1][lane()];
    }
    back -= 2 * pairs;
    const bool isFirst = firsts > pairs;
    int32_t* rest = waiting[isFirst ? 0 : 1];
    int left = max(firsts, seconds) - pairs;
    int done = pairs;
    if (left > 32) {
      back[-1 - lane()] = rest[done + lane()];
      back -= 32;
      left -= 32;
      done += 32;
    }
    const int32_t entry = lane() < left ? rest[done + lane()] : 0;
    __syncwarp();
    rest[lane()] = entry;
    firsts = isFirst ? left : 0;
    seconds = isFirst ? 0 : left;
    __syncwarp();
  }
};

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

// Writes, from the end of the row down, columns that one half reads.
__device__ inline void writeLastColumns(const BlockUse& use, const int32_t* columns, int32_t*& end) {
  if (__any_sync(~0u, use.columns > 0)) {
    const LaneEntries entries(use.columns);
    const int32_t bits = heddle::unreadBy(use.unreadBits == heddle::unreadBy(0) ? 1 : 0);
    for (int i = 0; i < use.columns; i++) {
      end[i - entries.end] = columns[use.firstColumn + i] | bits;
    }
    end -= entries.total;
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
  __shared__ BlockCursor::Waiting waiting[8];
  BlockCursor cursor = {attention.blockStarts + attention.blockOffsets[row],
                        attention.blockStarts + attention.blockOffsets[row + 1], waiting[threadIdx.x / 32]};
  int32_t* columns = attention.columns + attention.columnOffsets[row];
  int32_t* lastColumns = attention.columns + attention.columnOffsets[row + 1];
  forRow(params, queryBlock,
         [&](const RowRanges& ranges, const BlockReaders& readers, const int32_t* keptList) {
           forPieces(ranges, readers.columns, [&](const RowPiece& piece) {
             forBlocks(piece, [&](int start) {
               const BlockUse use = start < 0 ? BlockUse{} : readers.use(start);
               cursor.write(start, use.unreadBits, start >= 0);
               writeLastColumns(use, keptList, lastColumns);
             });
             const LaneEntries ofColumns(piece.columns());
             writeColumns(piece, ofColumns, keptList, columns);
             columns += ofColumns.total;
           });
         });
  cursor.end();
}

}  // namespace vertical_slash
