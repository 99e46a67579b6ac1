// The greatest of many scores, by a thread block: the same ones as TopScores picks on the host.
//
// Among equal scores the lower places are taken; NaN ranks with -infinity, and the two zeros are equal.
// The threshold is found digit by digit, from three readings of the scores; a fourth counts what each
// warp takes of the neighbouring places that it has, and a fifth takes.
#pragma once

#include <cmath>

#include "scan.cuh"

namespace heddle {

// A number that, unsigned, orders as the score does.
__device__ inline uint32_t rankOf(float score) {
  const uint32_t bits = __float_as_uint(isnan(score) ? -INFINITY : score + 0.0f);
  return bits ^ (uint32_t(int32_t(bits) >> 31) | 0x80000000u);
}

// The first digit tells sign, exponent and 4 bits behind the point: scores of one kind share their
// exponent, and spread over such digits well enough for threads to count side by side.
constexpr int kDigits = 3;
constexpr int kMostDigitBits = 13;
constexpr int kScoresAtOnce = 8;  // that a thread reads before it looks at any

struct TopScratch {
  uint32_t counts[1 << kMostDigitBits];
  uint32_t warpSums[33];
  uint32_t equalSums[33];
  uint32_t known;
  uint32_t left;
};

// The least rank that is taken, and how many entries of just that rank are.
struct Threshold {
  uint32_t rank;
  uint32_t equalsTaken;
};

// Calls visit(i, rank of place i) for this thread's places.
template <class Rank, class Visit>
__device__ inline void forOwnRanks(Rank rank, int length, Visit visit) {
  for (int first = threadIdx.x; first < length; first += kScoresAtOnce * blockDim.x) {
    uint32_t ranks[kScoresAtOnce];
#pragma unroll
    for (int n = 0; n < kScoresAtOnce; n++) {
      const int i = first + n * blockDim.x;
      ranks[n] = i < length ? rank(i) : 0;
    }
#pragma unroll
    for (int n = 0; n < kScoresAtOnce; n++) {
      const int i = first + n * blockDim.x;
      if (i < length) {
        visit(i, ranks[n]);
      }
    }
  }
}

// Finds the digit in which the `left`-th greatest entry falls, from the counts of `digits` digits: sets
// scratch.known to it, and scratch.left to how many entries of that digit are still to be taken.
__device__ inline void walkDown(int digits, uint32_t left, TopScratch& scratch) {
  // Thread 0 has the greatest digits, so that sums over the threads before are of greater ones.
  const int own = digits / blockDim.x;
  const int greatest = digits - 1 - threadIdx.x * own;
  uint32_t sum = 0;
  for (int i = 0; i < own; i++) {
    sum += scratch.counts[greatest - i];
  }
  uint32_t total;
  uint32_t greater = sumBefore<uint32_t>(sum, scratch.warpSums, total);
  if (greater < left && left <= greater + sum) {
    int digit = greatest;
    while (greater + scratch.counts[digit] < left) {
      greater += scratch.counts[digit--];
    }
    scratch.known = digit;
    scratch.left = left - greater;
  }
  __syncthreads();
}

// Finds the threshold. Needs 0 < count <= length and 1024 threads; all threads call it. `rank(i)` gives
// the rank of place i.
template <class Rank>
__device__ inline Threshold findThreshold(Rank rank, int length, int count, TopScratch& scratch) {
  constexpr int kBits[kDigits] = {13, 10, 9};
  uint32_t known = 0;
  uint32_t left = count;
  int bitsLeft = 32;
#pragma unroll
  for (int n = 0; n < kDigits; n++) {
    const int digits = 1 << (kBits[n] < 10 ? 10 : kBits[n]);
    for (int i = threadIdx.x; i < digits; i += blockDim.x) {
      scratch.counts[i] = 0;
    }
    __syncthreads();
    const int shift = bitsLeft - kBits[n];
    const uint32_t above = known;
    forOwnRanks(rank, length, [&](int, uint32_t r) {
      if (n == 0 || r >> bitsLeft == above) {
        atomicAdd(scratch.counts + (r >> shift & ((1u << kBits[n]) - 1)), 1u);
      }
    });
    __syncthreads();
    walkDown(digits, left, scratch);
    known = known << kBits[n] | scratch.known;
    left = scratch.left;
    bitsLeft = shift;
  }
  return {known, left};
}

// Calls take(n, i) for the n-th of the chosen places i, in ascending order, and for each 32 places
// word(number, which of them are chosen, how many are before them). All threads call it.
template <class Rank, class Take, class Word>
__device__ inline void takeTop(Rank rank, int length, const Threshold& threshold, TopScratch& scratch,
                               Take take, Word word) {
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int warps = blockDim.x / 32;
  const int perWarp = ((length + 31) / 32 + warps - 1) / warps * 32;
  const int first = min(warp * perWarp, length);
  const int end = min(first + perWarp, length);
  uint32_t above = 0;
  uint32_t equal = 0;
#pragma unroll 8
  for (int i = first + lane; i < end; i += 32) {
    const uint32_t r = rank(i);
    above += r > threshold.rank;
    equal += r == threshold.rank;
  }
  above = __reduce_add_sync(~0u, above);
  equal = __reduce_add_sync(~0u, equal);
  uint32_t total;
  // Per thread of the block; only the first lane of a warp counts.
  uint32_t taken = sumBefore<uint32_t>(lane == 0 ? above : 0, scratch.warpSums, total);
  uint32_t equals = sumBefore<uint32_t>(lane == 0 ? equal : 0, scratch.equalSums, total);
  taken = __shfl_sync(~0u, taken, 0);
  equals = __shfl_sync(~0u, equals, 0);
  taken += min(equals, threshold.equalsTaken);
  const uint32_t below = (1u << lane) - 1;
  for (int start = first; start < end; start += 32 * kScoresAtOnce) {
    uint32_t ranks[kScoresAtOnce];
#pragma unroll
    for (int n = 0; n < kScoresAtOnce; n++) {
      const int i = start + 32 * n + lane;
      ranks[n] = i < end ? rank(i) : 0;
    }
#pragma unroll
    for (int n = 0; n < kScoresAtOnce; n++) {
      const int i = start + 32 * n + lane;
      const uint32_t equalMask = __ballot_sync(~0u, i < end && ranks[n] == threshold.rank);
      const bool isTaken =
          i < end && (ranks[n] > threshold.rank ||
                      (ranks[n] == threshold.rank &&
                       equals + __popc(equalMask & below) < threshold.equalsTaken));
      const uint32_t takenMask = __ballot_sync(~0u, isTaken);
      if (isTaken) {
        take(int(taken + __popc(takenMask & below)), i);
      }
      if (lane == 0 && i < end) {
        word(i / 32, takenMask, taken);
      }
      taken += __popc(takenMask);
      equals += __popc(equalMask);
    }
  }
}

}  // namespace heddle
