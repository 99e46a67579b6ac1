// Element types and the instructions that work on them: conversions, tensor-core products, copies.
//
// Where the text is compiled at run time the toolkit's headers are not there, and the 16-bit types are just
// their bits: use them through the functions here.
#pragma once

#ifndef __CUDACC_RTC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

#include <cstdint>

namespace heddle {

#ifdef __CUDACC_RTC__

struct alignas(2) Half {
  unsigned short bits;
};
struct alignas(2) BFloat {
  unsigned short bits;
};

__device__ inline float toFloat(Half x) {
  float wide;
  asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(x.bits));
  return wide;
}
__device__ inline float toFloat(BFloat x) { return __uint_as_float(uint32_t(x.bits) << 16); }

#else

using Half = __half;
using BFloat = __nv_bfloat16;

__device__ inline float toFloat(Half x) { return __half2float(x); }
__device__ inline float toFloat(BFloat x) { return __bfloat162float(x); }

#endif

__device__ inline float toFloat(float x) { return x; }

// Two neighbours as one register, the first in the low half.
template <class Element>
__device__ uint32_t pack(float low, float high);

template <>
__device__ inline uint32_t pack<Half>(float low, float high) {
  uint32_t packed;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}

template <>
__device__ inline uint32_t pack<BFloat>(float low, float high) {
  uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}

// Exponent bits that an infinity or NaN has all set, in each half of a register.
template <class Element>
struct ExponentMask;
template <>
struct ExponentMask<Half> {
  static constexpr uint32_t value = 0x7c00;
};
template <>
struct ExponentMask<BFloat> {
  static constexpr uint32_t value = 0x7f80;
};

// 2^x to about 2 units in the last place; exactly 0 for -infinity, NaN for NaN.
__device__ inline float exp2Fast(float x) {
  float power;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
  return power;
}

// c += a b on one warp's tensor core: a is 16 x 16, b is 16 x 8, c is 16 x 8 in float32.
template <class Element>
__device__ void multiplyAdd(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);

template <>
__device__ inline void multiplyAdd<Half>(float (&c)[4], const uint32_t (&a)[4], uint32_t b0,
                                         uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

template <>
__device__ inline void multiplyAdd<BFloat>(float (&c)[4], const uint32_t (&a)[4], uint32_t b0,
                                           uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

__device__ inline uint32_t sharedAddress(const void* pointer) {
  return uint32_t(__cvta_generic_to_shared(pointer));
}

// Four 8 x 8 matrices of 16-bit numbers from shared memory; lane l gives the address of row l % 8 of
// matrix l / 8.
__device__ inline void loadMatrices(uint32_t (&r)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

__device__ inline void loadMatricesTransposed(uint32_t (&r)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

// Starts a copy of 16 bytes to shared memory, or of 16 zeros.
__device__ inline void copyChunk(uint32_t target, const void* source, bool valid) {
  const int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source), "r"(bytes)
               : "memory");
}

// Starts a copy of 4 bytes to shared memory, or of 4 zeros.
__device__ inline void copyWord(uint32_t target, const void* source, bool valid) {
  const int bytes = valid ? 4 : 0;
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(target), "l"(source), "r"(bytes)
               : "memory");
}

// Waits for all copies that this thread has started. Other threads' copies need a barrier as well.
__device__ inline void waitForCopies() { asm volatile("cp.async.wait_all;" ::: "memory"); }

}  // namespace heddle
