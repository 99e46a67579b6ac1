// The greatest of some thousands of scores, by a thread block that holds them all in registers: the same
// ones as TopScores picks on the host.
//
// The threshold is found by halving the range of ranks in which it lies: for each middle, count the scores
// from there on. A middle with just as many as are wanted ends the search; else it ends, after at most 32
// steps, at a rank of which only some are taken: those at the lowest places.
#pragma once

#include "heddle/top_scores.cuh"

namespace heddle {

constexpr int kLaneScores = 64;
constexpr int kWarpScores = 32 * kLaneScores;

struct RowTopScratch {
  uint32_t sums[2][2][32];  // [turn][kind][warp]
};

// The sum of `value` over all lanes of the warps before this one, and over the whole block. `turn` is
// another one from call to call, so that one barrier is enough.
struct WarpSums {
  uint32_t before;
  uint32_t total;

  __device__ __forceinline__ WarpSums(uint32_t value, uint32_t (&sums)[32]) {
    const uint32_t own = __reduce_add_sync(~0u, value);
    before = 0;
    total = own;
    if (blockDim.x > 32) {
      if (threadIdx.x % 32 == 0) {
        sums[threadIdx.x / 32] = own;
      }
      __syncthreads();
      total = 0;
      for (int warp = 0; warp < blockDim.x / 32; warp++) {
        before += warp < threadIdx.x / 32 ? sums[warp] : 0;
        total += sums[warp];
      }
    }
  }
};

// The ranks of a lane: of the scores 32 n + lane of its warp's kWarpScores neighbours. What is behind the
// end has rank 0, which no score has.
struct LaneRanks {
  uint32_t ranks[kLaneScores];
  int length;  // of the warp's scores

  __device__ __forceinline__ LaneRanks(const float* scores, int count) {
    const int first = threadIdx.x / 32 * kWarpScores;
    const int lane = threadIdx.x % 32;
    length = count - first;
    const float* own = scores + first + lane;
#pragma unroll
    for (int i = 0; i < kLaneScores; i++) {
      ranks[i] = 32 * i + lane < length ? rankOf(own[32 * i]) : 0;
    }
  }

  // Calls visit(n, rank), 8 ranks at a time, as far as the warp has scores.
  template <class Visit>
  __device__ __forceinline__ void forEach(Visit visit) const {
#pragma unroll
    for (int first = 0; first < kLaneScores; first += 8) {
      if (32 * first < length) {
#pragma unroll
        for (int i = first; i < first + 8; i++) {
          visit(i, ranks[i]);
        }
      }
    }
  }

  __device__ __forceinline__ uint32_t countFrom(uint32_t least) const {
    uint32_t found = 0;
    forEach([&](int, uint32_t rank) { found += rank >= least; });
    return found;
  }
};

// Calls take(n, i) for the n-th of the `wanted` greatest of `count` scores, those at places i in ascending
// order. Needs count <= blockDim.x / 32 * kWarpScores. All threads call it.
template <class Take>
__device__ __forceinline__ void takeTopOfRow(const float* scores, int count, int wanted,
                                             RowTopScratch& scratch, Take take) {
  if (wanted <= 0) {
    return;
  }
  const LaneRanks own(scores, count);
  uint32_t least = 1;          // at least `wanted` scores are from here on...
  uint32_t tooGreat = 1u << 31 | 0x7f800001u;  // ... and fewer from here on: the rank above infinity's
  int turn = 0;
  while (tooGreat - least > 1) {
    const uint32_t middle = least + (tooGreat - least) / 2;
    const uint32_t found = WarpSums(own.countFrom(middle), scratch.sums[turn][0]).total;
    turn ^= 1;
    if (found == wanted) {
      least = middle;
      tooGreat = middle;
    } else if (found > wanted) {
      least = middle;
    } else {
      tooGreat = middle;
    }
  }
  // All from tooGreat on are taken; where that is another rank, so are the first ones of rank `least`.
  uint32_t above = 0;
  uint32_t equal = 0;
  own.forEach([&](int, uint32_t rank) {
    above += rank >= tooGreat;
    equal += rank == least && rank < tooGreat;
  });
  const WarpSums aboves(above, scratch.sums[turn][0]);
  const WarpSums equalSums(equal, scratch.sums[turn][1]);
  const uint32_t equalsTaken = wanted - aboves.total;
  uint32_t equals = equalSums.before;
  uint32_t taken = aboves.before + min(equals, equalsTaken);
  const int lane = threadIdx.x % 32;
  const int first = threadIdx.x / 32 * kWarpScores;
  const uint32_t below = (1u << lane) - 1;
  own.forEach([&](int i, uint32_t rank) {
    const uint32_t equalMask = __ballot_sync(~0u, rank == least && rank < tooGreat);
    const bool isTaken = rank >= tooGreat || (rank == least && rank < tooGreat &&
                                              equals + __popc(equalMask & below) < equalsTaken);
    const uint32_t takenMask = __ballot_sync(~0u, isTaken);
    if (isTaken) {
      take(int(taken + __popc(takenMask & below)), first + 32 * i + lane);
    }
    taken += __popc(takenMask);
    equals += __popc(equalMask);
  });
}

}  // namespace heddle
