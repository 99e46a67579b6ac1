// Which columns and offsets are kept, and the runs that they form.
//
// Of a unit's sums by column, and of those by offset, the greatest are kept: two lists per unit, each of
// sumLength sums. Thread blocks share the reading of a list:
//   digits   counts how often each first digit of a sum occurs, in parts of kPartSums sums
//   mark     from these counts knows in which digit the last kept sum falls; says of each sum whether it is
//            above that digit (kept), or of it
//   select   sorts those of it by their other digits, and lists what is kept
// The least sum that is kept, and how many of its size, are the same as TopScores finds on the host.
//
// Grid: (2 * head slots, parts (select: 1), sequences), list blockIdx.x % 2 of slot blockIdx.x / 2. Block:
// 1024.
#pragma once

#include "heddle/top_scores.cuh"
#include "probe_combine.cuh"

namespace vertical_slash {

constexpr int kPartSums = 32768;

using Scratch = heddle::TopScratch<kFirstBits>;

// One list of one unit.
struct SumList {
  Sequence sequence;
  int64_t unit;
  bool isOffsets;
  bool isEmpty;  // because everything is kept
  int length;
  int count;   // how many are kept
  int forced;  // of these, how many at the start whatever their sums
  float* sums;
  uint2* words;            // of 32 sums each: above the digit and of it; in the end kept, and kept before
  uint32_t* digitCounts;

  __device__ explicit SumList(const VerticalSlashParams& params) {
    const int slot = blockIdx.x / 2;
    const Options options(params.attention, slot);
    sequence = params.attention.sequences[blockIdx.z];
    unit = params.unit(blockIdx.z, slot);
    isOffsets = blockIdx.x % 2 == 1;
    isEmpty = options.keepsAll(sequence.keyTokens);
    length = sequence.keyTokens;
    count = isOffsets ? options.offsets() : options.columns();
    forced = isOffsets ? options.local : options.sink;
    sums = (isOffsets ? params.offsetSums : params.columnSums) + unit * params.sumLength;
    words = params.wordsOf(unit, isOffsets);
    digitCounts = params.digitCounts + (2 * unit + isOffsets) * kFirstDigits;
  }

  __device__ uint32_t rank(int i, float sum) const {
    return heddle::rankOf(i < forced ? INFINITY : sum);
  }
  __device__ uint32_t rank(int i) const { return rank(i, sums[i]); }
};

// Calls visit(i) for this thread's sums of the part that its block has: 32 neighbours per warp, and in all
// lanes, also for numbers behind the end of the list.
template <class Visit>
__device__ __forceinline__ void forPart(Visit visit) {
#pragma unroll
  for (int n = 0; n < kPartSums; n += 1024) {
    visit(int(blockIdx.y) * kPartSums + n + int(threadIdx.x));
  }
}

__device__ inline void countDigits(const VerticalSlashParams& params) {
  __shared__ uint32_t counts[kFirstDigits];
  const SumList list(params);
  if (list.isEmpty || blockIdx.y * kPartSums >= list.length) {
    return;
  }
  for (int digit = threadIdx.x; digit < kFirstDigits; digit += blockDim.x) {
    counts[digit] = 0;
  }
  __syncthreads();
  forPart([&](int i) {
    if (i < list.length) {
      const float sum = list.isOffsets ? addOverhang(params, list.sequence, list.unit, 0, i)
                                        : list.sums[i];
      atomicAdd(counts + (list.rank(i, sum) >> (32 - kFirstBits)), 1u);
    }
  });
  __syncthreads();
  for (int digit = threadIdx.x; digit < kFirstDigits; digit += blockDim.x) {
    if (counts[digit] > 0) {
      atomicAdd(list.digitCounts + digit, counts[digit]);
    }
  }
}

// The digit in which the last kept sum falls, or one above all if none is kept; and how many of its sums
// are kept. All threads of the block call it.
__device__ __forceinline__ uint2 findFirstDigit(const SumList& list, Scratch& scratch) {
  for (int digit = threadIdx.x; digit < kFirstDigits; digit += blockDim.x) {
    scratch.counts[digit] = list.digitCounts[digit];
  }
  if (threadIdx.x == 0) {
    scratch.known = kFirstDigits;
    scratch.left = 0;
  }
  __syncthreads();
  heddle::walkDown(kFirstDigits, list.count, scratch);
  return {scratch.known, scratch.left};
}

__device__ inline void markSums(const VerticalSlashParams& params) {
  __shared__ Scratch scratch;
  const SumList list(params);
  if (list.isEmpty || blockIdx.y * kPartSums >= list.length) {
    return;
  }
  const uint32_t digit = findFirstDigit(list, scratch).x;
  forPart([&](int i) {
    const uint32_t own = i < list.length ? list.rank(i) >> (32 - kFirstBits) : 0;
    const uint32_t above = __ballot_sync(~0u, i < list.length && own > digit);
    const uint32_t equal = __ballot_sync(~0u, i < list.length && own == digit);
    if (threadIdx.x % 32 == 0 && i < list.length) {
      list.words[i / kWordKeys] = {above, equal};
    }
  });
}

// Lists runs of ascending numbers: runs[n] = the first and the last number of the n-th run. `starts(i)`
// and `ends(i)` say of the i-th number whether a run starts and ends there. Returns how many runs there
// are. All threads call it.
template <class Starts, class Ends>
__device__ inline int listRuns(const int32_t* numbers, int count, int2* runs, uint32_t* warpSums,
                               Starts starts, Ends ends) {
  uint32_t found = 0;
  for (int first = 0; first < count; first += blockDim.x) {
    const int i = first + threadIdx.x;
    const bool isStart = i < count && starts(i);
    uint32_t total;
    const uint32_t run = found + heddle::sumBefore<uint32_t>(isStart, warpSums, total);
    if (isStart) {
      runs[run].x = numbers[i];
    }
    if (i < count && ends(i)) {
      runs[run + (isStart ? 0 : -1)].y = numbers[i];
    }
    found += total;
  }
  return int(found);
}

// Runs of numbers of which neighbours are at most `reach` apart.
__device__ inline int joinRuns(const int32_t* numbers, int count, int reach, int2* runs,
                               uint32_t* warpSums) {
  return listRuns(
      numbers, count, runs, warpSums,
      [&](int i) { return i == 0 || numbers[i] - numbers[i - 1] > reach; },
      [&](int i) { return i == count - 1 || numbers[i + 1] - numbers[i] > reach; });
}

// Runs of kLongRun or more successive numbers.
__device__ inline int longRuns(const int32_t* numbers, int count, int2* runs, uint32_t* warpSums) {
  constexpr int kRest = kLongRun - 1;
  return listRuns(
      numbers, count, runs, warpSums,
      [&](int i) {
        return (i == 0 || numbers[i] - numbers[i - 1] > 1) && i + kRest < count &&
               numbers[i + kRest] == numbers[i] + kRest;
      },
      [&](int i) {
        return (i == count - 1 || numbers[i + 1] - numbers[i] > 1) && i >= kRest &&
               numbers[i - kRest] == numbers[i] - kRest;
      });
}

// Those sums whose first digit is that of the last kept one. A warp has those of neighbouring words; a few
// thousand fit into shared memory, more are read anew each time.
struct Candidates {
  static constexpr int kCacheAt = 1024;  // in scratch.counts: behind the counts of the other digits
  static constexpr int kMostCached = kFirstDigits - kCacheAt;

  const SumList& list;
  Scratch& scratch;
  int firstWord;
  int endWord;
  uint32_t first;  // number of this warp's first one
  uint32_t count;
  bool isCached;

  __device__ Candidates(const SumList& ofList, Scratch& ofBlock) : list(ofList), scratch(ofBlock) {
    const int lane = threadIdx.x % 32;
    const int words = (list.length + kWordKeys - 1) / kWordKeys;
    const int perWarp = (words + 1023) / 1024 * 32;
    firstWord = min(int(threadIdx.x) / 32 * perWarp, words);
    endWord = min(firstWord + perWarp, words);
    count = 0;
    for (int word = firstWord + lane; word < endWord; word += 32) {
      count += __popc(list.words[word].y);
    }
    count = __reduce_add_sync(~0u, count);
    uint32_t total;
    first = heddle::sumBefore<uint32_t>(lane == 0 ? count : 0, scratch.warpSums, total);
    first = __shfl_sync(~0u, first, 0);
    isCached = false;
    if (total <= kMostCached) {
      read([&](uint32_t n, uint32_t rank) { scratch.counts[kCacheAt + n] = rank; });
      isCached = true;
    }
    __syncthreads();
  }

  // Calls visit(rank) for this warp's, each in some lane.
  template <class Visit>
  __device__ void forEach(Visit visit) const {
    if (isCached) {
      for (uint32_t n = first + threadIdx.x % 32; n < first + count; n += 32) {
        visit(scratch.counts[kCacheAt + n]);
      }
    } else {
      read([&](uint32_t, uint32_t rank) { visit(rank); });
    }
  }

  // Calls visit(number, rank) likewise: a word at a time, in the lane of its bit.
  template <class Visit>
  __device__ void read(Visit visit) const {
    const int lane = threadIdx.x % 32;
    uint32_t n = first;
    for (int word = firstWord; word < endWord; word += 32) {
      const uint32_t bits = word + lane < endWord ? list.words[word + lane].y : 0;
      const uint32_t end = n + heddle::sumUpToLane<uint32_t>(__popc(bits));
#pragma unroll 8
      for (int i = 0; i < 32; i++) {
        const uint32_t ofWord = __shfl_sync(~0u, bits, i);
        const uint32_t firstOfWord = __shfl_sync(~0u, end - __popc(bits), i);
        if (ofWord >> lane & 1) {
          visit(firstOfWord + __popc(ofWord & ((1u << lane) - 1)),
                list.rank((word + i) * kWordKeys + lane));
        }
      }
      n = __shfl_sync(~0u, end, 31);
    }
  }
};

// Finds the other digits of the last kept sum, among the candidates.
__device__ inline heddle::Threshold findRest(const Candidates& candidates, uint2 first,
                                             Scratch& scratch) {
  uint32_t known = first.x;
  uint32_t left = first.y;
  int bitsLeft = 32 - kFirstBits;
#pragma unroll
  for (int n = 1; n < Scratch::kDigits; n++) {
    const int bits = Scratch::bits(n);
    const int shift = bitsLeft - bits;
    for (int i = threadIdx.x; i < 1 << bits; i += blockDim.x) {
      scratch.counts[i] = 0;
    }
    __syncthreads();
    candidates.forEach([&](uint32_t rank) {
      if (rank >> bitsLeft == known) {
        atomicAdd(scratch.counts + (rank >> shift & ((1u << bits) - 1)), 1u);
      }
    });
    __syncthreads();
    heddle::walkDown(1 << bits, left, scratch);
    known = known << bits | scratch.known;
    left = scratch.left;
    bitsLeft = shift;
    __syncthreads();
  }
  return {known, left};
}

// Lists the places of the kept sums, ascending, and says in each word what is kept and how many before.
__device__ inline void listKept(const SumList& list, const Candidates& candidates,
                                const heddle::Threshold& threshold, Scratch& scratch, int32_t* places) {
  const int lane = threadIdx.x % 32;
  uint32_t above = 0;
  uint32_t equal = 0;
  candidates.forEach([&](uint32_t rank) {
    above += rank > threshold.rank;
    equal += rank == threshold.rank;
  });
  for (int word = candidates.firstWord + lane; word < candidates.endWord; word += 32) {
    above += __popc(list.words[word].x);
  }
  uint32_t total;
  uint32_t equals = heddle::sumBefore<uint32_t>(equal, scratch.equalSums, total);
  uint32_t kept = heddle::sumBefore<uint32_t>(above, scratch.warpSums, total);
  equals = __shfl_sync(~0u, equals, 0);
  kept = __shfl_sync(~0u, kept, 0) + min(equals, threshold.equalsTaken);
  uint32_t candidate = candidates.first;
  const uint32_t below = (1u << lane) - 1;
  for (int word = candidates.firstWord; word < candidates.endWord; word += 32) {
    const bool hasWord = word + lane < candidates.endWord;
    const uint2 marks = hasWord ? list.words[word + lane] : make_uint2(0, 0);
    const uint32_t end = candidate + heddle::sumUpToLane<uint32_t>(__popc(marks.y));
    const uint32_t keptBefore = kept;
    uint32_t ownBits = 0;
    for (uint32_t left = __ballot_sync(~0u, (marks.x | marks.y) != 0); left != 0; left &= left - 1) {
      const int i = __ffs(left) - 1;
      const uint32_t sure = __shfl_sync(~0u, marks.x, i);
      const uint32_t unsure = __shfl_sync(~0u, marks.y, i);
      const uint32_t number =
          __shfl_sync(~0u, end - __popc(marks.y), i) + __popc(unsure & below);
      const int place = (word + i) * kWordKeys + lane;
      uint32_t rank = 0;
      if (unsure >> lane & 1) {
        rank = candidates.isCached ? scratch.counts[Candidates::kCacheAt + number] : list.rank(place);
      }
      const bool isEqual = rank == threshold.rank;
      const uint32_t equalBits = __ballot_sync(~0u, isEqual);
      const bool isKept = (sure >> lane & 1) || rank > threshold.rank ||
                          (isEqual && equals + __popc(equalBits & below) < threshold.equalsTaken);
      const uint32_t bits = __ballot_sync(~0u, isKept);
      if (isKept) {
        places[kept + __popc(bits & below)] = place;
      }
      equals += __popc(equalBits);
      kept += __popc(bits);
      ownBits = lane == i ? bits : ownBits;
    }
    const uint32_t count = __popc(ownBits);
    const uint32_t before = keptBefore + heddle::sumUpToLane<uint32_t>(count) - count;
    if (hasWord) {
      list.words[word + lane] = {ownBits, before};
    }
    candidate = __shfl_sync(~0u, end, 31);
  }
  __syncthreads();
}

// The runs of the columns that are kept.
__device__ inline void finishColumns(const VerticalSlashParams& params, const SumList& list,
                                     const int32_t* columns, Scratch& scratch) {
  const int runs = longRuns(columns, list.count, params.longRunsOf(list.unit), scratch.warpSums);
  if (threadIdx.x == 0) {
    params.runCounts[list.unit].x = runs;
  }
}

// The runs of the offsets that are kept, in a full query block and in the last one: parallelograms of
// offsets at most as far apart as the query block has rows touch.
__device__ inline void finishOffsets(const VerticalSlashParams& params, const SumList& list,
                                     const int32_t* offsets, Scratch& scratch) {
  const int64_t first = list.unit * params.mostSlashes;
  const int full = joinRuns(offsets, list.count, heddle::kQueryRows, params.offsetRuns + first,
                            scratch.warpSums);
  const int tail = joinRuns(offsets, list.count, list.sequence.queryTokens % heddle::kQueryRows,
                            params.tailRuns + first, scratch.warpSums);
  if (threadIdx.x == 0) {
    params.runCounts[list.unit].y = full;
    params.runCounts[list.unit].z = tail;
  }
}

__device__ inline void select(const VerticalSlashParams& params) {
  __shared__ Scratch scratch;
  const SumList list(params);
  if (list.isEmpty) {
    return;
  }
  int32_t* places = list.isOffsets ? params.offsets + list.unit * params.mostSlashes
                                   : params.columns + list.unit * params.mostVerticals;
  const uint2 first = findFirstDigit(list, scratch);
  __syncthreads();
  const Candidates candidates(list, scratch);
  const heddle::Threshold threshold = findRest(candidates, first, scratch);
  listKept(list, candidates, threshold, scratch, places);
  if (threadIdx.x < 2) {  // the words behind the last one
    list.words[(list.length + kWordKeys - 1) / kWordKeys + threadIdx.x] = {0, uint32_t(list.count)};
  }
  if (list.isOffsets) {
    finishOffsets(params, list, places, scratch);
  } else {
    finishColumns(params, list, places, scratch);
  }
}

}  // namespace vertical_slash
