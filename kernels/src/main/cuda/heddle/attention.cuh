// Attention kernels: a policy of keys (keys.cuh) around a main loop, for each element type and head dim.
//
// A pattern's .cu file names its policy and gets its kernels:
//
//     HEDDLE_ATTENTION_KERNELS(dense, DenseKeys)   // heddle_dense_attend_{f16,bf16,f32}_{64,96,128,256}
//                                                  // heddle_dense_attend_hopper_{f16,bf16}_{64,96,128,256}
//
// Grid: (head slots, query tiles of the longest sequence, sequences), with tiles of 128 queries for
// 16-bit elements and of 64 for float32. Block: Shape::kThreads. Dynamic shared memory:
// Shape::kSharedBytes. A kernel named after head dim D takes headDim <= D, a multiple of 8.
//
// Kernels named "hopper" are in the code for compute capability 9.0 only, and need params.hopper. Grid: as
// many thread blocks as there are multiprocessors, or query tiles if they are fewer; block and shared
// memory as HopperShape has them.
#pragma once

#include "heddle/hopper_producer.cuh"
#include "heddle/hopper_write_out.cuh"
#include "heddle/main_loop_float.cuh"
#include "heddle/write_out.cuh"

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

#ifdef HEDDLE_HOPPER

template <class Element, int HeadDim, template <int> class Policy>
__device__ __forceinline__ void attendOnHopper(const AttentionParams& params) {
  using Shape = HopperShape<Element, HeadDim>;
  using Keys = Policy<Shape::kPartKeys>;
  const HopperMemory<Shape> shared(sharedMemory);
  if (threadIdx.x == 0) {
    makeBarriers(shared);
    acquireTensorMap(params.hopper->queries);
    acquireTensorMap(params.hopper->keys);
    acquireTensorMap(params.hopper->values);
  }
  __syncthreads();
  if (threadIdx.x < kProducerThreads) {
    giveRegisters<Shape::kProducerRegisters>();
    HopperProducer<Shape, Keys>(params, shared).run();
  } else {
    takeRegisters<Shape::kConsumerRegisters>();
    HopperConsumer<Shape, Keys::kGathers> loop(params, shared);
    while (true) {
      const HopperWork& work = loop.work();
      if (work.tiles < 0) {
        break;
      }
      loop.compute(work);
      writeOut<Keys>(loop, work);
      loop.endWork();
    }
    loop.end();
  }
}

#endif

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

#ifdef HEDDLE_HOPPER
#define HEDDLE_HOPPER_KERNEL(pattern, Policy, type, Element, dim)                                   \
  extern "C" __global__ void __launch_bounds__(heddle::HopperShape<Element, dim>::kThreads, 1)      \
      heddle_##pattern##_attend_hopper_##type##_##dim(const __grid_constant__ heddle::AttentionParams p) { \
    heddle::attendOnHopper<Element, dim, Policy>(p);                                                \
  }
#define HEDDLE_HOPPER_KERNELS_OF_TYPE(pattern, Policy, type, Element) \
  HEDDLE_HOPPER_KERNEL(pattern, Policy, type, Element, 64)            \
  HEDDLE_HOPPER_KERNEL(pattern, Policy, type, Element, 96)            \
  HEDDLE_HOPPER_KERNEL(pattern, Policy, type, Element, 128)           \
  HEDDLE_HOPPER_KERNEL(pattern, Policy, type, Element, 256)
#else
#define HEDDLE_HOPPER_KERNELS_OF_TYPE(pattern, Policy, type, Element)
#endif

#define HEDDLE_ATTENTION_KERNELS(pattern, Policy)                               \
  HEDDLE_ATTENTION_KERNELS_OF_TYPE(pattern, Policy, f16, heddle::Half)          \
  HEDDLE_ATTENTION_KERNELS_OF_TYPE(pattern, Policy, bf16, heddle::BFloat)       \
  HEDDLE_ATTENTION_KERNELS_OF_TYPE(pattern, Policy, f32, float)                 \
  HEDDLE_HOPPER_KERNELS_OF_TYPE(pattern, Policy, f16, heddle::Half)             \
  HEDDLE_HOPPER_KERNELS_OF_TYPE(pattern, Policy, bf16, heddle::BFloat)
