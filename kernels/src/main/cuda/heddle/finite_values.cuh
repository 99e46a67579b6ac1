// Values that are not finite, in tiles that not every query reads whole.
//
// A key that a query does not read weighs exactly 0, but 0 * NaN is NaN: in the product of weights and
// values a NaN or infinity in V would reach queries above the diagonal. So in tiles that need a mask
// such values are taken out of shared memory before the product, and added by hand to the queries that
// do read them. All other tiles pay nothing.
#pragma once

#include "heddle/shared_rows.cuh"

namespace heddle {

// For the tiles in flight, the keys that have such values. Slots are used in turn: a tile marks its
// own, while the slot of the next one is being cleared.
struct NonFiniteKeys {
  static constexpr int kSlots = 3;
  uint32_t marks[kSlots][2];  // a bit per key of a tile

  __device__ void clear(int tile) {
    marks[tile % kSlots][0] = 0;
    marks[tile % kSlots][1] = 0;
  }
};

// Replaces values that are not finite by 0 and marks their keys, among the chunks that this thread
// itself copied: needs no barrier after the thread's own copies.
template <class Element, int TileKeys, int HeadDim, int Threads>
__device__ inline void takeOutNonFinite(unsigned char* values, uint32_t (&marks)[2]) {
  using Rows = SharedRows<HeadDim>;
  constexpr uint32_t kLow = ExponentMask<Element>::value;
  constexpr uint32_t kHigh = kLow << 16;
  forOwnChunks<TileKeys, Rows::kChunks, Threads>([&](int row, int chunk) {
    uint4* place = reinterpret_cast<uint4*>(values + Rows::offset(row, chunk));
    uint4 words = *place;
    uint32_t* word = &words.x;
    bool found = false;
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const bool low = (word[i] & kLow) == kLow;
      const bool high = (word[i] & kHigh) == kHigh;
      found |= low | high;
      word[i] &= (low ? 0xffff0000u : ~0u) & (high ? 0xffffu : ~0u);
    }
    if (found) {
      *place = words;
      atomicOr(&marks[row / 32], 1u << row % 32);
    }
  });
}

}  // namespace heddle
