// Attention kernels: a policy of keys (keys.cuh) around a main loop, for each element type and head dim.
//
// A pattern's .cu file names its policy and gets its kernels:
//
//     HEDDLE_ATTENTION_KERNELS(dense, DenseKeys)   // heddle_dense_attend_{f16,bf16,f32}_{64,96,128,256}
//
// Grid: (head slots, query tiles of the longest sequence, sequences), with tiles of 128 queries for
// 16-bit elements and of 64 for float32. Block: Shape::kThreads. Dynamic shared memory:
// Shape::kSharedBytes. A kernel named after head dim D takes headDim <= D, a multiple of 8.
#pragma once

#include "main_loop_float.cuh"
#include "write_out.cuh"

namespace heddle {

extern __shared__ __align__(1024) unsigned char sharedMemory[];

template <class Element, int HeadDim>
struct AttentionShape : MmaShape<Element, HeadDim> {};
template <int HeadDim>
struct AttentionShape<float, HeadDim> : FloatShape<HeadDim> {};

// The coordinates are read anew for the write-out: kept through the loop they would cost registers.
template <class Element, int HeadDim, template <int> class Policy>
__device__ __forceinline__ void attend(const AttentionParams& params) {
  using Shape = AttentionShape<Element, HeadDim>;
  const typename Shape::Queries queries(params);
  if (queries.queries <= 0) {
    return;
  }
  const Policy<Shape::kTileKeys> policy(params, queries);
  if constexpr (sizeof(Element) == 4) {
    FloatLoop<Shape, Policy<Shape::kTileKeys>::kGathers> loop(params, queries, sharedMemory);
    loop.run(policy);
    loop.writeOut(params, typename Shape::Queries(params));
  } else {
    using Rows = SharedRows<HeadDim>;
    const HeadRows source =
        HeadRows::of<Element>(params.queries, queries.queryHead, params.queryHeadStride,
                              queries.sequence.firstQuery + queries.firstQuery, params.queryTokenStride);
    copyTile<Shape::kTileRows, HeadDim, Shape::kThreads, false>(
        sharedAddress(sharedMemory), source, {0, queries.queries}, nullptr, params.headDim);
    MmaLoop<Shape, Policy<Shape::kTileKeys>::kGathers> loop(params, queries, sharedMemory);
    loop.run(policy);
    waitForCopies();
    heddle::writeOut(loop, params, typename Shape::Queries(params));
  }
}

}  // namespace heddle

#define HEDDLE_ATTENTION_KERNEL(pattern, Policy, type, Element, dim)                              \
  extern "C" __global__ void                                                                      \
  __launch_bounds__(heddle::AttentionShape<Element, dim>::kThreads,                               \
                    heddle::AttentionShape<Element, dim>::kBlocksPerProcessor)                    \
      heddle_##pattern##_attend_##type##_##dim(const __grid_constant__ heddle::AttentionParams p) { \
    heddle::attend<Element, dim, Policy>(p);                                                      \
  }

#define HEDDLE_ATTENTION_KERNELS_OF_TYPE(pattern, Policy, type, Element) \
  HEDDLE_ATTENTION_KERNEL(pattern, Policy, type, Element, 64)            \
  HEDDLE_ATTENTION_KERNEL(pattern, Policy, type, Element, 96)            \
  HEDDLE_ATTENTION_KERNEL(pattern, Policy, type, Element, 128)           \
  HEDDLE_ATTENTION_KERNEL(pattern, Policy, type, Element, 256)

#define HEDDLE_ATTENTION_KERNELS(pattern, Policy)                               \
  HEDDLE_ATTENTION_KERNELS_OF_TYPE(pattern, Policy, f16, heddle::Half)          \
  HEDDLE_ATTENTION_KERNELS_OF_TYPE(pattern, Policy, bf16, heddle::BFloat)       \
  HEDDLE_ATTENTION_KERNELS_OF_TYPE(pattern, Policy, f32, float)
