// The greatest of many scores, by a thread block: the same ones as TopScores picks on the host.
//
// Among equal scores the lower places are taken; NaN ranks with -infinity, and the two zeros are equal.
#pragma once

#include <cmath>

#include "scan.cuh"

namespace heddle {

// A number that, unsigned, orders as the score does.
__device__ inline uint32_t rankOf(float score) {
  const uint32_t bits = __float_as_uint(isnan(score) ? -INFINITY : score + 0.0f);
  return bits ^ (uint32_t(int32_t(bits) >> 31) | 0x80000000u);
}

struct TopScratch {
  uint32_t counts[256];
  uint32_t warpSums[33];
  uint32_t known;
  uint32_t left;
};

// The least rank that is taken, and how many entries of just that rank are.
struct Threshold {
  uint32_t rank;
  uint32_t equalsTaken;
};

// Counts one in `counts[digit]` for each calling lane, with one addition per digit of the warp: digits
// are mostly the same, since scores of one kind share their exponent.
__device__ inline void countDigit(uint32_t* counts, uint32_t digit) {
  const uint32_t peers = __match_any_sync(__activemask(), digit);
  if ((threadIdx.x & 31) == __ffs(peers) - 1) {
    atomicAdd(counts + digit, __popc(peers));
  }
}

// Finds the threshold digit by digit: counts the digits, then walks down from the greatest. Needs
// 0 < count <= length and at least 256 threads; all threads call it. `rank(i)` gives the rank of place i.
template <class Rank>
__device__ inline Threshold findThreshold(Rank rank, int length, int count, TopScratch& scratch) {
  uint32_t known = 0;
  uint32_t knownBits = 0;
  uint32_t left = count;
  for (int shift = 24; shift >= 0; shift -= 8) {
    for (int i = threadIdx.x; i < 256; i += blockDim.x) {
      scratch.counts[i] = 0;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < length; i += blockDim.x) {
      const uint32_t r = rank(i);
      if ((r & knownBits) == known) {
        countDigit(scratch.counts, r >> shift & 255);
      }
    }
    __syncthreads();
    // Thread i holds the digit 255 - i, so that sums over the threads before it are of greater digits.
    const uint32_t digit = 255 - threadIdx.x;
    const uint32_t own = threadIdx.x < 256 ? scratch.counts[digit] : 0;
    uint32_t total;
    const uint32_t greater = sumBefore<uint32_t>(own, scratch.warpSums, total);
    if (greater < left && left <= greater + own) {
      scratch.known = known | digit << shift;
      scratch.left = left - greater;
    }
    __syncthreads();
    known = scratch.known;
    left = scratch.left;
    knownBits |= 255u << shift;
  }
  return {known, left};
}

// Calls take(n, i) for the n-th of the chosen places i, in ascending order. All threads call it.
template <class Rank, class Take>
__device__ inline void takeTop(Rank rank, int length, const Threshold& threshold,
                               TopScratch& scratch, Take take) {
  uint32_t taken = 0;
  uint32_t equals = 0;
  for (int first = 0; first < length; first += blockDim.x) {
    const int i = first + threadIdx.x;
    const uint32_t r = i < length ? rank(i) : 0;
    const bool above = i < length && r > threshold.rank;
    const bool equal = i < length && r == threshold.rank;
    // Both counts in one number: at most 1024 each.
    uint32_t total;
    const uint32_t before =
        sumBefore<uint32_t>(uint32_t(above) << 16 | uint32_t(equal), scratch.warpSums, total);
    const uint32_t equalsBefore = equals + (before & 0xffff);
    const uint32_t place = taken + (before >> 16) + min(equalsBefore, threshold.equalsTaken);
    if (above || (equal && equalsBefore < threshold.equalsTaken)) {
      take(int(place), i);
    }
    taken += total >> 16;
    equals += total & 0xffff;
  }
}

}  // namespace heddle
