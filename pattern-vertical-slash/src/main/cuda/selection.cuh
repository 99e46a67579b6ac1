// Which columns and offsets are kept, and the runs that they form.
#pragma once

#include "heddle/top_scores.cuh"
#include "probe.cuh"

namespace vertical_slash {

using Scratch = heddle::TopScratch<13>;

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

// Keeps the `count` greatest of the sums, the first `forced` among them, and lists their places; for
// each 32 places word(n, which of them, how many before them).
template <class Word>
__device__ inline void keepTop(const float* sums, int length, int count, int forced, int32_t* places,
                               Scratch& scratch, Word word) {
  const auto rank = [&](int i) { return heddle::rankOf(i < forced ? INFINITY : sums[i]); };
  heddle::Threshold threshold = {UINT32_MAX, 0};
  if (count > 0) {
    threshold = heddle::findThreshold(rank, length, count, scratch);
  }
  heddle::takeTop(rank, length, threshold, scratch, [&](int n, int i) { places[n] = i; }, word);
  __syncthreads();
}

// The columns of a unit; returns how many long runs they have.
__device__ inline int selectColumns(const VerticalSlashParams& params, const Options& options,
                                    int64_t unit, int length, Scratch& scratch) {
  int32_t* columns = params.columns + unit * params.mostVerticals;
  uint2* words = params.wordsOf(unit);
  keepTop(params.columnSums + unit * params.sumLength, length, options.columns(), options.sink, columns,
          scratch, [&](int n, uint32_t kept, uint32_t before) { words[n] = {kept, before}; });
  const int end = (length + kWordKeys - 1) / kWordKeys;
  if (threadIdx.x < 2 && end + threadIdx.x < params.sumLength / kWordKeys + 2) {
    words[end + threadIdx.x] = {0, uint32_t(options.columns())};
  }
  return longRuns(columns, options.columns(), params.longRunsOf(unit), scratch.warpSums);
}

// The offsets of a unit; returns how many runs they form in a full query block, and in the last one.
__device__ inline int2 selectOffsets(const VerticalSlashParams& params, const Options& options,
                                     int64_t unit, const Sequence& sequence,
                                     Scratch& scratch) {
  const int count = options.offsets();
  int32_t* offsets = params.offsets + unit * params.mostSlashes;
  addOverhangs(params, sequence, unit, 0, threadIdx.x, blockDim.x);
  __syncthreads();
  keepTop(params.offsetSums + unit * params.sumLength, sequence.keyTokens, count, options.local, offsets,
          scratch, [](int, uint32_t, uint32_t) {});
  // Parallelograms of offsets at most as far apart as the query block has rows touch.
  const int64_t first = unit * params.mostSlashes;
  return {joinRuns(offsets, count, heddle::kQueryRows, params.offsetRuns + first, scratch.warpSums),
          joinRuns(offsets, count, sequence.queryTokens % heddle::kQueryRows, params.tailRuns + first,
                   scratch.warpSums)};
}

// Grid: (head slots, 2: columns and offsets, sequences). Block: 1024.
__device__ inline void select(const VerticalSlashParams& params) {
  __shared__ Scratch scratch;
  const Sequence sequence = params.attention.sequences[blockIdx.z];
  const Options options(params.attention, blockIdx.x);
  if (options.keepsAll(sequence.keyTokens)) {
    return;
  }
  const int64_t unit = params.unit(blockIdx.z, blockIdx.x);
  int32_t* runCounts = reinterpret_cast<int32_t*>(params.runCounts + unit);
  if (blockIdx.y == 0) {
    const int runs = selectColumns(params, options, unit, sequence.keyTokens, scratch);
    if (threadIdx.x == 0) {
      runCounts[0] = runs;
    }
  } else {
    const int2 runs = selectOffsets(params, options, unit, sequence, scratch);
    if (threadIdx.x == 0) {
      runCounts[1] = runs.x;
      runCounts[2] = runs.y;
    }
  }
}

}  // namespace vertical_slash
