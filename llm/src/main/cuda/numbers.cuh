// Groups of neighbouring numbers as a decoder's kernels read and write them: in float32 in registers, in 16 bits or float32 in
// memory.
#pragma once

#include <cstdint>

#include "heddle/elements.cuh"

namespace heddle::decoder {

// COUNT numbers in memory, moved at once.
template <class Element, int COUNT>
struct alignas(sizeof(Element) * COUNT) Group {
  Element at[COUNT];
};

template <int COUNT, class Element>
__device__ inline void load(float (&x)[COUNT], const Element* from) {
  const Group<Element, COUNT> group = *reinterpret_cast<const Group<Element, COUNT>*>(from);
#pragma unroll
  for (int i = 0; i < COUNT; i++) x[i] = toFloat(group.at[i]);
}

// float32 in pieces of 16 bytes: there is no wider load.
template <int COUNT>
__device__ inline void load(float (&x)[COUNT], const float* from) {
  constexpr int PIECE = COUNT < 4 ? COUNT : 4;
#pragma unroll
  for (int first = 0; first < COUNT; first += PIECE) {
    const auto piece = *reinterpret_cast<const Group<float, PIECE>*>(from + first);
#pragma unroll
    for (int i = 0; i < PIECE; i++) x[first + i] = piece.at[i];
  }
}

template <class Element>
__device__ Element fromFloat(float x);
template <>
__device__ inline Half fromFloat<Half>(float x) { return __float2half_rn(x); }
template <>
__device__ inline BFloat fromFloat<BFloat>(float x) { return __float2bfloat16_rn(x); }

template <int COUNT, class Element>
__device__ inline void store(Element* to, const float (&x)[COUNT]) {
  Group<Element, COUNT> group;
#pragma unroll
  for (int i = 0; i < COUNT; i++) group.at[i] = fromFloat<Element>(x[i]);
  *reinterpret_cast<Group<Element, COUNT>*>(to) = group;
}

template <int COUNT>
__device__ inline void store(float* to, const float (&x)[COUNT]) {
  constexpr int PIECE = COUNT < 4 ? COUNT : 4;
#pragma unroll
  for (int first = 0; first < COUNT; first += PIECE) {
    Group<float, PIECE> piece;
#pragma unroll
    for (int i = 0; i < PIECE; i++) piece.at[i] = x[first + i];
    *reinterpret_cast<Group<float, PIECE>*>(to + first) = piece;
  }
}

// The sum of x over groups of LANES neighbouring lanes of a warp, in all of them.
template <int LANES>
__device__ inline float sumOfLanes(float x) {
#pragma unroll
  for (int distance = LANES / 2; distance > 0; distance /= 2) {
    x += __shfl_xor_sync(0xffffffffu, x, distance);
  }
  return x;
}

// The sum of x over a thread block of WARPS warps, in all threads.
template <int WARPS>
__device__ inline float sumOfBlock(float x) {
  __shared__ float ofWarps[WARPS];
  x = sumOfLanes<32>(x);
  if (threadIdx.x % 32 == 0) ofWarps[threadIdx.x / 32] = x;
  __syncthreads();
  float sum = 0;
#pragma unroll
  for (int warp = 0; warp < WARPS; warp++) sum += ofWarps[warp];
  __syncthreads();  // the next sum may use the same memory
  return sum;
}

}  // namespace heddle::decoder
