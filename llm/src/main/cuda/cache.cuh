// How keys and values are stored: in 16 bits, or in 8 with a scale for each row.
//
// A row x of K or V, the numbers of one head and token, is kept as e4m3(x / s) with s = max |x| / 448, 448 being the greatest
// number that e4m3 has. A number keeps 4 significant bits: it is off by at most 1/16 of itself, or by s / 1024 where it is
// less than s / 64. Infinity or NaN anywhere in a row makes its scale NaN, and so the whole row.
#pragma once

#include <cuda_fp8.h>

#include <type_traits>

#include "numbers.cuh"

namespace heddle::decoder {

constexpr int CHUNK = 8;  // numbers of a row that a thread moves at once

// Two numbers in 16 bits each, and what that leaves of them.
template <class Number>
__device__ inline void packBoth(uint32_t& high, uint32_t& low, float x, float y);

template <>
__device__ inline void packBoth<BFloat>(uint32_t& high, uint32_t& low, float x, float y) {
  high = pack<BFloat>(x, y);
  low = pack<BFloat>(x - __uint_as_float(high << 16), y - __uint_as_float(high & 0xffff0000u));
}

template <>
__device__ inline void packBoth<Half>(uint32_t& high, uint32_t& low, float x, float y) {
  high = pack<Half>(x, y);
  const float2 back = __half22float2(*reinterpret_cast<__half2*>(&high));
  low = pack<Half>(x - back.x, y - back.y);
}

// Keys and values in the model's own 16-bit type.
template <class Element>
struct Plain {
  using Query = Element;
  using Number = Element;  // what is multiplied
  using Chunk = uint4;
  static constexpr bool QUERY_LOW = false;

  __device__ static const Element* at(const void* base, int64_t element) {
    return static_cast<const Element*>(base) + element;
  }
  __device__ static Chunk load(const Element* from, bool present) {
    return present ? *reinterpret_cast<const uint4*>(from) : make_uint4(0, 0, 0, 0);
  }
  __device__ static void widen(uint32_t (&words)[4], const Chunk& chunk) {
    words[0] = chunk.x;
    words[1] = chunk.y;
    words[2] = chunk.z;
    words[3] = chunk.w;
  }
  __device__ static float scale(const float*, int64_t, bool) { return 1; }
  __device__ static void loadQuery(uint32_t (&high)[4], uint32_t (&low)[4], const Element* from,
                                   bool present) {
    widen(high, load(from, present));
    widen(low, make_uint4(0, 0, 0, 0));
  }
};

// Two e4m3 numbers, in the high bytes of the halves of x, as bfloat16, which has all of them.
__device__ inline uint32_t e4m3ToBFloat(uint32_t x) {
  const uint32_t bits = (x & 0x7f007f00u) >> 4 | (x & 0x80008000u);  // 2^-120 of each
  const __nv_bfloat162 scale = __halves2bfloat162(__ushort_as_bfloat16(0x7b80),
                                                  __ushort_as_bfloat16(0x7b80));  // 2^120
  const __nv_bfloat162 wide = __hmul2(*reinterpret_cast<const __nv_bfloat162*>(&bits), scale);
  return *reinterpret_cast<const uint32_t*>(&wide);
}

// Keys and values in 8 bits. They are multiplied in bfloat16; Q of float16 is the sum of two of those.
template <class Element>
struct E4m3 {
  using Query = Element;
  using Number = BFloat;
  using Chunk = uint2;
  static constexpr bool QUERY_LOW = !std::is_same_v<Element, BFloat>;

  __device__ static const uint8_t* at(const void* base, int64_t element) {
    return static_cast<const uint8_t*>(base) + element;
  }
  __device__ static Chunk load(const uint8_t* from, bool present) {
    return present ? *reinterpret_cast<const uint2*>(from) : make_uint2(0, 0);
  }
  __device__ static void widen(uint32_t (&words)[4], const Chunk& chunk) {
    words[0] = e4m3ToBFloat(__byte_perm(chunk.x, 0, 0x1404));
    words[1] = e4m3ToBFloat(__byte_perm(chunk.x, 0, 0x3424));
    words[2] = e4m3ToBFloat(__byte_perm(chunk.y, 0, 0x1404));
    words[3] = e4m3ToBFloat(__byte_perm(chunk.y, 0, 0x3424));
  }
  __device__ static float scale(const float* scales, int64_t row, bool present) {
    return present ? scales[row] : 0;
  }
  __device__ static void loadQuery(uint32_t (&high)[4], uint32_t (&low)[4], const Element* from,
                                   bool present) {
    float x[CHUNK] = {};
    if (present) heddle::decoder::load(x, from);
#pragma unroll
    for (int i = 0; i < 4; i++) packBoth<BFloat>(high[i], low[i], x[2 * i], x[2 * i + 1]);
  }
};

constexpr float GREATEST_E4M3 = 448;

// The scale of a row whose numbers the 32 lanes of a warp hold.
__device__ inline float e4m3Scale(const float (&x)[CHUNK]) {
  float greatest = 0, broken = 0;  // 0 · x is NaN for infinity and NaN
#pragma unroll
  for (int i = 0; i < CHUNK; i++) {
    greatest = fmaxf(greatest, fabsf(x[i]));
    broken += 0 * x[i];
  }
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2)
    greatest = fmaxf(greatest, __shfl_xor_sync(0xffffffffu, greatest, distance));
  return greatest / GREATEST_E4M3 + sumOfLanes<32>(broken);
}

__device__ inline uint2 toE4m3(const float (&x)[CHUNK], float scale) {
  const float inverse = scale > 0 ? 1 / scale : 0;
  uint32_t words[2] = {};
#pragma unroll
  for (int i = 0; i < CHUNK; i++) {
    const uint32_t code = __nv_cvt_float_to_fp8(x[i] * inverse, __NV_SATFINITE, __NV_E4M3);
    words[i / 4] |= code << (i % 4 * 8);
  }
  return make_uint2(words[0], words[1]);
}

}  // namespace heddle::decoder
