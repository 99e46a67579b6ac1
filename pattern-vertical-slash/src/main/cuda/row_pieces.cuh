// The rows of a Vertical-Slash index, worked out by a warp each.
//
// A query block at positions P to Q requires of the kept offsets a to b the keys P - b to Q - a, and of
// the kept columns those up to Q. Ranges that touch or overlap are joined and cut into blocks of 64 keys;
// a rest of less than half a block becomes columns, and what a block covers beyond its range is not
// listed again. This is what VerticalSlashIndexBuilder and BlockIndexBuilder do on the host.
//
// Here only ranges of at least half a block are walked through: slashes and long runs of columns, 32 of
// them at a time, one in each lane. Shorter runs of columns can be no blocks; they lengthen the ranges
// that they touch, and all others are columns as they stand in the list. Both are looked up in the words
// that say which keys are kept.
//
// A block that only one half of the queries needs is marked so, which the host's builder does not do: a band of
// 64 offsets takes three blocks for 128 queries, and two for each half of them. A few kept columns in such a
// block are no reason for the other half to read all of it: that half has them as columns, marked likewise.
#pragma once

#include "heddle/scan.cuh"
#include "vertical_slash_params.cuh"

namespace vertical_slash {

using heddle::Sequence;

// How many of ascending runs start below `limit`. The warp works together.
__device__ inline int countBelow(const int2* runs, int count, int limit) {
  const int lane = threadIdx.x % 32;
  int first = 0;
  int left = count;
  while (left > 0) {
    const int step = (left + 31) / 32;  // neighbouring runs of which a lane looks at the last
    const int end = (lane + 1) * step;
    const bool below = end <= left && runs[first + end - 1].x < limit;
    const int whole = __popc(__ballot_sync(~0u, below)) * step;
    first += whole;
    left = min(step - 1, left - whole);
  }
  return first;
}

// The kept columns of a unit, or its kept offsets.
struct KeptKeys {
  const uint2* words;  // null where there are none

  // 32 keys from `first` on, a bit for each.
  __device__ uint32_t bitsFrom(int first) const {
    const int word = first >> 5;
    return __funnelshift_r(word >= 0 ? words[word].x : 0, words[word + 1].x, first & 31);
  }

  // How many kept keys lie next to one another just below `key`, and from `key` on: up to 32.
  __device__ int lengthBelow(int key) const {
    return words == nullptr || key == 0 ? 0 : __clz(~bitsFrom(key - 32));
  }
  __device__ int lengthFrom(int key) const {
    return words == nullptr ? 0 : __clz(__brev(~bitsFrom(key)));
  }

  // How many kept keys are below `key`.
  __device__ int countBelow(int key) const {
    if (words == nullptr) {
      return 0;
    }
    const uint2 word = words[key >> 5];
    return word.y + __popc(word.x & ((1u << (key & 31)) - 1));
  }
};

// The ranges that a row requires, of at least half a block each: first key and end, ascending by first key.
struct RowRanges {
  const int2* slashRuns;  // ascending offsets: descending keys
  const int2* longRuns;
  int slashes;
  int longs;
  int firstPosition;
  int visibleKeys;
  bool keepsAll;

  __device__ RowRanges(const VerticalSlashParams& params, const Sequence& sequence, int64_t unit,
                       int queryBlock, bool all)
      : keepsAll(all) {
    const heddle::QueryBlock block(sequence, queryBlock);
    firstPosition = block.firstPosition;
    visibleKeys = block.visibleKeys;
    slashes = 1;
    longs = 0;
    if (!keepsAll) {
      const int4 counts = params.runCounts[unit];
      const bool full = (queryBlock + 1) * heddle::kQueryRows <= sequence.queryTokens;
      slashRuns = (full ? params.offsetRuns : params.tailRuns) + unit * params.mostSlashes;
      longRuns = params.longRunsOf(unit);
      slashes = vertical_slash::countBelow(slashRuns, full ? counts.y : counts.z, visibleKeys);
      longs = vertical_slash::countBelow(longRuns, counts.x, visibleKeys);
    }
  }

  __device__ int count() const { return slashes + longs; }

  __device__ int2 slash(int i) const {
    if (keepsAll) {
      return {0, visibleKeys};
    }
    const int2 run = slashRuns[slashes - 1 - i];
    return {max(0, firstPosition - run.y), visibleKeys - run.x};
  }

  __device__ int2 longRun(int i) const {
    const int2 run = longRuns[i];
    return {run.x, min(run.y + 1, visibleKeys)};
  }

  // The n-th range of both kinds together.
  __device__ int2 at(int n) const {
    int least = max(0, n - longs);  // slashes among the n ranges before it
    int most = min(n, slashes);
    while (least < most) {
      const int middle = (least + most) / 2;
      if (slash(middle).x <= longRun(n - 1 - middle).x) {
        least = middle + 1;
      } else {
        most = middle;
      }
    }
    const bool noLong = n - least >= longs;
    if (noLong || (least < slashes && slash(least).x <= longRun(n - least).x)) {
      return slash(least);
    }
    return longRun(n - least);
  }
};

// What a joined range becomes, and the columns between it and the next one.
struct RowPiece {
  int firstBlock;
  int blocks;
  int firstRest;  // of the columns behind the last block
  int rest;
  int firstGap;  // place in the list of columns
  int gap;

  __device__ int columns() const { return rest + gap; }
};

// Whole blocks of the keys start to end - 1, where a rest of at least half a block is one too.
__device__ inline int blocksOf(int start, int end) {
  return start < end ? (end - start + heddle::kKeyColumns / 2) / heddle::kKeyColumns : 0;
}

// Up to where keys are listed once the range start to end - 1 is, if they are up to `covered` before it.
__device__ inline int coverTo(int start, int end, int covered) {
  start = max(start, covered);
  return max(start + blocksOf(start, end) * heddle::kKeyColumns, end);
}

// Who reads a block.
struct BlockUse {
  int32_t unreadBits;  // what the block's entry says: see heddle::kUnreadBit
  int columns;         // kept columns in it that the half which does not read it reads one by one
  int firstColumn;     // place in the list of columns
};

// Which halves of a row's queries read a block: those with a kept offset to one of its keys, and both where more
// than a few kept columns lie in it.
struct BlockReaders {
  static constexpr int kMostColumns = 8;

  KeptKeys columns;
  KeptKeys offsets;
  int firstPosition;
  int visibleKeys;

  __device__ BlockUse use(int start) const {
    BlockUse use = {};
    if (offsets.words == nullptr) {
      return use;
    }
    use.firstColumn = columns.countBelow(start);
    use.columns = columns.countBelow(min(start + heddle::kKeyColumns, visibleKeys)) - use.firstColumn;
    const bool first = isReadBy(0, start);
    const bool last = isReadBy(1, start);
    if (first == last || use.columns > kMostColumns) {
      use.columns = 0;
    } else {
      use.unreadBits = heddle::unreadBy(first ? 1 : 0);
    }
    return use;
  }

 private:
  __device__ bool isReadBy(int half, int start) const {
    const int first = firstPosition + half * heddle::kHalfRows;
    const int end = min(first + heddle::kHalfRows, visibleKeys);
    const int least = max(0, first - (start + heddle::kKeyColumns - 1));
    return first < end && offsets.countBelow(least) != offsets.countBelow(max(least, end - start));
  }
};

// Calls use(piece) in all lanes of the warp, as often as it takes; pieces ascend by lane.
template <class Use>
__device__ inline void forPieces(const RowRanges& ranges, const KeptKeys& kept, Use use) {
  const int lane = threadIdx.x % 32;
  const int count = ranges.count();
  // Of the last joined range so far: it is a piece once the next one is known. And of those before it.
  int openStart = 0;
  int openEnd = 0;
  int covered = 0;
  for (int first = 0; first <= count; first += 32) {
    const int n = first + lane;
    int2 range = {ranges.visibleKeys, 0};  // behind the last one; ends the last piece
    if (n < count) {
      range = ranges.at(n);
      range.x -= kept.lengthBelow(range.x);
      range.y = min(range.y + kept.lengthFrom(range.y), ranges.visibleKeys);
    }
    int greatest = max(openEnd, range.y);
#pragma unroll
    for (int distance = 1; distance < 32; distance *= 2) {
      greatest = max(greatest, __shfl_up_sync(~0u, greatest, distance));
    }
    int end = __shfl_up_sync(~0u, greatest, 1);
    end = lane == 0 ? openEnd : end;
    const bool isNew = n == count || (n < count && range.x > end);
    const uint32_t news = __ballot_sync(~0u, isNew);
    // The joined range from `start` to `end` is over where another is new.
    const uint32_t newsBefore = news & ((1u << lane) - 1);
    const int before = newsBefore == 0 ? lane : 31 - __clz(newsBefore);
    const bool isFirst = newsBefore == 0;
    int start = __shfl_sync(~0u, range.x, before);
    start = isFirst ? openStart : start;
    // What one covers beyond its end matters to the next one if that is near: seldom, so guess and repeat.
    int coveredBefore;
    int coveredAfter = coverTo(start, end, 0);
    bool changed;
    do {
      coveredBefore = __shfl_sync(~0u, coveredAfter, before);
      coveredBefore = isFirst ? covered : coveredBefore;
      const int after = coverTo(start, end, coveredBefore);
      changed = isNew && after != coveredAfter;
      coveredAfter = after;
    } while (__any_sync(~0u, changed));

    RowPiece piece = {};
    if (isNew) {
      piece.firstBlock = max(start, coveredBefore);
      piece.blocks = blocksOf(piece.firstBlock, end);
      piece.firstRest = piece.firstBlock + piece.blocks * heddle::kKeyColumns;
      piece.rest = max(0, end - piece.firstRest);
      piece.firstGap = kept.countBelow(min(coveredAfter, range.x));
      piece.gap = kept.countBelow(range.x) - piece.firstGap;
    }
    use(piece);
    if (news != 0) {
      const int last = 31 - __clz(news);
      openStart = __shfl_sync(~0u, range.x, last);
      covered = __shfl_sync(~0u, coveredAfter, last);
    }
    openEnd = __shfl_sync(~0u, greatest, 31);
  }
}

}  // namespace vertical_slash
