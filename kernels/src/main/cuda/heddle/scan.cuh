// Sums and places over a whole thread block.
#pragma once

#include <cstdint>

namespace heddle {

// The sum over the lanes up to and including this one. All lanes of the warp call it.
template <class Value>
__device__ __forceinline__ Value sumUpToLane(Value value) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int distance = 1; distance < 32; distance *= 2) {
    const Value below = __shfl_up_sync(~0u, value, distance);
    value += lane >= distance ? below : Value(0);
  }
  return value;
}

// The sum of the values of all threads before this one. All threads of the block call it. `warpSums`
// is shared memory for 33 values; `total` becomes the sum over all threads.
template <class Value>
__device__ __forceinline__ Value sumBefore(Value value, Value* warpSums, Value& total) {
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const Value sum = sumUpToLane(value);
  if (lane == 31) {
    warpSums[warp] = sum;
  }
  __syncthreads();
  if (warp == 0) {
    const int warps = blockDim.x / 32;
    const Value own = lane < warps ? warpSums[lane] : Value(0);
    const Value warpSum = sumUpToLane(own);
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
// and offsets[r + 1] their running sum, with offsets[0] = 0; `total`, if any, gets the last one. One
// block of 1024 threads; a warp has 256 neighbouring rows at a time, a lane every 32nd of these.
__device__ inline void countsToOffsets(int64_t* offsets, int64_t rows, int64_t* total) {
  constexpr int kOwn = 8;
  __shared__ int64_t warpSums[33];
  const int lane = threadIdx.x % 32;
  if (threadIdx.x == 0) {
    offsets[0] = 0;
  }
  int64_t done = 0;
  for (int64_t first = 0; first < rows; first += kOwn * blockDim.x) {
    const int64_t row = first + threadIdx.x / 32 * kOwn * 32 + lane;
    int64_t sums[kOwn];
#pragma unroll
    for (int i = 0; i < kOwn; i++) {
      sums[i] = row + 32 * i < rows ? offsets[row + 32 * i + 1] : 0;
    }
    int64_t ofWarp = 0;
#pragma unroll
    for (int i = 0; i < kOwn; i++) {
      sums[i] = ofWarp + sumUpToLane(sums[i]);
      ofWarp = __shfl_sync(~0u, sums[i], 31);
    }
    int64_t ofAll;
    const int64_t ofWarpsBefore = sumBefore<int64_t>(lane == 0 ? ofWarp : 0, warpSums, ofAll);
    const int64_t before = done + __shfl_sync(~0u, ofWarpsBefore, 0);
#pragma unroll
    for (int i = 0; i < kOwn; i++) {
      if (row + 32 * i < rows) {
        offsets[row + 32 * i + 1] = before + sums[i];
      }
    }
    done += ofAll;
  }
  if (threadIdx.x == 0 && total != nullptr) {
    *total = done;
  }
}

}  // namespace heddle
