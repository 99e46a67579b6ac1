// The greatest of many scores, by a thread block: the same ones as TopScores picks on the host.
//
// Among equal scores the lower places are taken; NaN ranks with -infinity, and the two zeros are equal.
// The threshold is found digit by digit, from three readings of the scores; a fourth counts what each
// warp takes of the neighbouring places that it has, and a fifth takes.
#pragma once

#include <cmath>

#include "heddle/scan.cuh"

namespace heddle {

// A number that, unsigned, orders as the score does.
__device__ inline uint32_t rankOf(float score) {
  const uint32_t bits = __float_as_uint(isnan(score) ? -INFINITY : score + 0.0f);
  return bits ^ (uint32_t(int32_t(bits) >> 31) | 0x80000000u);
}

constexpr int kScoresAtOnce = 8;  // that a thread reads before it looks at any

// FirstBits are the bits of the first digit: sign, exponent, and some behind the point. Scores of one kind
// share their exponent; the more bits, the better they spread, and the more threads count side by side.
template <int FirstBits>
struct TopScratch {
  static constexpr int kDigits = 3;
  static constexpr int kSecondBits = (33 - FirstBits) / 2;

  __device__ static constexpr int bits(int digit) {
    return digit == 0 ? FirstBits : digit == 1 ? kSecondBits : 32 - FirstBits - kSecondBits;
  }

  uint32_t counts[1 << FirstBits];
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
__device__ __forceinline__ void forOwnRanks(Rank rank, int length, Visit visit) {
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
template <class Scratch>
__device__ __forceinline__ void walkDown(int digits, uint32_t left, Scratch& scratch) {
  // Thread 0 has the greatest digits, so that sums over the threads before are of greater ones.
  const int own = (digits + blockDim.x - 1) / blockDim.x;
  const int greatest = digits - 1 - int(threadIdx.x) * own;
  uint32_t sum = 0;
  for (int i = 0; i < own && i <= greatest; i++) {
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

// Finds the threshold. Needs 0 < count <= length; all threads call it. `rank(i)` gives the rank of place i.
template <class Rank, class Scratch>
__device__ __forceinline__ Threshold findThreshold(Rank rank, int length, int count, Scratch& scratch) {
  uint32_t known = 0;
  uint32_t left = count;
  int bitsLeft = 32;
#pragma unroll
  for (int n = 0; n < Scratch::kDigits; n++) {
    const int bits = Scratch::bits(n);
    for (int i = threadIdx.x; i < 1 << bits; i += blockDim.x) {
      scratch.counts[i] = 0;
    }
    __syncthreads();
    const int shift = bitsLeft - bits;
    forOwnRanks(rank, length, [&](int, uint32_t r) {
      if (n == 0 || r >> bitsLeft == known) {
        atomicAdd(scratch.counts + (r >> shift & ((1u << bits) - 1)), 1u);
      }
    });
    __syncthreads();
    walkDown(1 << bits, left, scratch);
    known = known << bits | scratch.known;
    left = scratch.left;
    bitsLeft = shift;
  }
  return {known, left};
}

// Calls take(n, i) for the n-th of the chosen places i, in ascending order, and for each 32 places
// word(number, which of them are chosen, how many are before them). All threads call it.
template <class Rank, class Scratch, class Take, class Word>
__device__ __forceinline__ void takeTop(Rank rank, int length, const Threshold& threshold, Scratch& scratch,
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
