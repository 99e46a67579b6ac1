// Sums and places over a whole thread block.
#pragma once

#include <cstdint>

namespace heddle {

// The sum of the values of all threads before this one. All threads of the block call it. `warpSums`
// is shared memory for 33 values; `total` becomes the sum over all threads.
template <class Value>
__device__ inline Value sumBefore(Value value, Value* warpSums, Value& total) {
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  Value sum = value;
#pragma unroll
  for (int distance = 1; distance < 32; distance *= 2) {
    const Value below = __shfl_up_sync(~0u, sum, distance);
    sum += lane >= distance ? below : Value(0);
  }
  if (lane == 31) {
    warpSums[warp] = sum;
  }
  __syncthreads();
  if (warp == 0) {
    const int warps = blockDim.x / 32;
    const Value own = lane < warps ? warpSums[lane] : Value(0);
    Value warpSum = own;
#pragma unroll
    for (int distance = 1; distance < 32; distance *= 2) {
      const Value below = __shfl_up_sync(~0u, warpSum, distance);
      warpSum += lane >= distance ? below : Value(0);
    }
    warpSums[lane] = warpSum - own;
    if (lane == 31) {
      warpSums[32] = warpSum;
    }
  }
  __syncthreads();
  const Value before = warpSums[warp] + sum - value;
  total = warpSums[32];
  __syncthreads();
  return before;
}

// Makes offsets of the counts of all index rows, in place: counts[r + 1] holds the entries of row r,
// and offsets[r + 1] their running sum, with offsets[0] = 0. One block of 1024 threads.
__device__ inline void countsToOffsets(int64_t* offsets, int64_t rows) {
  __shared__ int64_t warpSums[33];
  if (threadIdx.x == 0) {
    offsets[0] = 0;
  }
  int64_t done = 0;
  for (int64_t first = 0; first < rows; first += blockDim.x) {
    const int64_t row = first + threadIdx.x;
    const int64_t count = row < rows ? offsets[row + 1] : 0;
    int64_t total;
    const int64_t before = sumBefore<int64_t>(count, warpSums, total);
    if (row < rows) {
      offsets[row + 1] = done + before + count;
    }
    done += total;
  }
}

}  // namespace heddle
