// Which columns and offsets are kept, and the runs that they form.
#pragma once

#include "heddle/top_scores.cuh"
#include "vertical_slash_params.cuh"

namespace vertical_slash {

// Joins neighbours of ascending numbers that are at most `reach` apart into runs of a first and a last
// number; returns how many there are. All threads call it.
__device__ inline int joinRuns(const int32_t* numbers, int count, int reach, int2* runs,
                               uint32_t* warpSums) {
  uint32_t found = 0;
  for (int first = 0; first < count; first += blockDim.x) {
    const int i = first + threadIdx.x;
    const bool starts = i < count && (i == 0 || numbers[i] - numbers[i - 1] > reach);
    const bool ends = i < count && (i == count - 1 || numbers[i + 1] - numbers[i] > reach);
    uint32_t total;
    const uint32_t run = found + heddle::sumBefore<uint32_t>(starts, warpSums, total);
    if (starts) {
      runs[run].x = numbers[i];
    }
    if (ends) {
      runs[run + (starts ? 0 : -1)].y = numbers[i];
    }
    found += total;
  }
  return int(found);
}

// Keeps the greatest of the sums, the first `forced` among them, and lists their places.
__device__ inline void keepTop(const float* sums, int length, int count, int forced,
                               int32_t* places, heddle::TopScratch& scratch) {
  if (count == 0) {
    return;
  }
  const auto rank = [&](int i) { return heddle::rankOf(i < forced ? INFINITY : sums[i]); };
  const heddle::Threshold threshold = heddle::findThreshold(rank, length, count, scratch);
  heddle::takeTop(rank, length, threshold, scratch, [&](int n, int i) { places[n] = i; });
  __syncthreads();
}

// Grid: (head slots, 2: columns and offsets, sequences). Block: 1024.
__device__ inline void select(const VerticalSlashParams& params) {
  __shared__ heddle::TopScratch scratch;
  const heddle::AttentionParams& attention = params.attention;
  const heddle::Sequence sequence = attention.sequences[blockIdx.z];
  const int length = sequence.keyTokens;
  const Options options(attention, blockIdx.x);
  if (options.keepsAll(length)) {
    return;
  }
  const int64_t unit = int64_t(blockIdx.z) * attention.headSlots + blockIdx.x;
  int32_t* runCounts = reinterpret_cast<int32_t*>(params.runCounts + unit);
  int columnRuns = 0;
  int offsetRuns = 0;
  int tailRuns = 0;
  if (blockIdx.y == 0) {
    int32_t* columns = params.columns + unit * params.mostVerticals;
    const int count = max(options.verticals, options.sink);
    keepTop(params.columnSums + unit * params.mostKeyTokens, length, count, options.sink, columns,
            scratch);
    columnRuns = joinRuns(columns, count, 1, params.columnRuns + unit * params.mostVerticals,
                          scratch.warpSums);
  } else {
    int32_t* offsets = params.offsets + unit * params.mostSlashes;
    const int count = max(options.slashes, options.local);
    keepTop(params.offsetSums + unit * params.mostKeyTokens, length, count, options.local, offsets,
            scratch);
    // Parallelograms of offsets at most as far apart as the query block has rows touch.
    offsetRuns = joinRuns(offsets, count, heddle::kQueryRows,
                          params.offsetRuns + unit * params.mostSlashes, scratch.warpSums);
    tailRuns = joinRuns(offsets, count, sequence.queryTokens % heddle::kQueryRows,
                        params.tailRuns + unit * params.mostSlashes, scratch.warpSums);
  }
  if (threadIdx.x == 0) {
    if (blockIdx.y == 0) {
      runCounts[0] = columnRuns;
    } else {
      runCounts[1] = offsetRuns;
      runCounts[2] = tailRuns;
      runCounts[3] = 0;
    }
  }
}

}  // namespace vertical_slash
