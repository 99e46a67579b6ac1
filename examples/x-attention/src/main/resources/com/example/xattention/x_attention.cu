// XAttention (Xu et al. 2025, arXiv 2503.16428): each query block reads the key blocks that hold a share of
// the attention, as sums over antidiagonals estimate it.
//
// The index is built in these steps, queued one after the other:
//   score, select   scores of a pass of query blocks, and what each of them keeps
//   scan            offsets of all rows, and how many entries there are
//   emit            the rows
// Attention is the shared kernel's, which reads the rows.

#include "x_attention_hopper.cuh"
#include "x_attention_rows.cuh"
#include "x_attention_scores.cuh"

namespace xattention {

extern __shared__ __align__(1024) unsigned char sharedMemory[];

template <class Element, int Stages>
__device__ __forceinline__ void score(const XAttentionParams& params) {
  using Product = ScoreProduct<Element, Stages>;
  const typename Product::Tile tile(params);
  if (tile.isNeeded()) {
    Product product(params.attention, tile, sharedMemory);
    product.run();
    product.store();
  }
}

#ifdef HEDDLE_HOPPER
template <class Element>
__device__ __forceinline__ void scoreOnHopper(const XAttentionParams& params) {
  using Product = HopperScoreProduct<Element>;
  static_assert(Product::kSharedBytes == 197696);
  const typename Product::Tile tile(params);
  if (tile.isNeeded()) {
    Product(params.attention, tile, sharedMemory).run();
  }
}
#endif

}  // namespace xattention

// Grid: (strided keys / 256, strided rows of the pass / 128, sequences * head slots), rounded up. Block: 256.
// Dynamic shared memory: 98304 bytes.
#define SCORE_KERNEL(name, Element, stages)                                                               \
  extern "C" __global__ void __launch_bounds__(256, 1)                                                    \
      heddle_x_attention_score_##name(const __grid_constant__ xattention::XAttentionParams p) {           \
    xattention::score<Element, stages>(p);                                                                \
  }

SCORE_KERNEL(f16, heddle::Half, 2)
SCORE_KERNEL(bf16, heddle::BFloat, 2)

// The same on compute capability 9.0. Block: 384. Dynamic shared memory: 197696 bytes.
#ifdef HEDDLE_HOPPER
#define HOPPER_SCORE_KERNEL(type, Element)                                                                \
  extern "C" __global__ void __launch_bounds__(384, 1)                                                    \
      heddle_x_attention_score_hopper_##type(const __grid_constant__ xattention::XAttentionParams p) {    \
    xattention::scoreOnHopper<Element>(p);                                                                \
  }

HOPPER_SCORE_KERNEL(f16, heddle::Half)
HOPPER_SCORE_KERNEL(bf16, heddle::BFloat)
#endif

// Grid: (strided keys / 64, strided rows of the pass / 64, sequences * head slots), rounded up. Block: 256.
extern "C" __global__ void __launch_bounds__(256)
    heddle_x_attention_score_f32(const __grid_constant__ xattention::XAttentionParams p) {
  __shared__ xattention::FloatScoreProduct::Memory memory;
  const xattention::FloatScoreProduct::Tile tile(p);
  if (tile.isNeeded()) {
    xattention::FloatScoreProduct::run(p.attention, tile, memory);
  }
}

// Grid: (head slots, query blocks of the pass, sequences). Block: 256.
extern "C" __global__ void __launch_bounds__(256)
    heddle_x_attention_select(const __grid_constant__ xattention::XAttentionParams p) {
  __shared__ xattention::SelectMemory memory;
  xattention::select(p, memory);
}

// Grid: 2 (blocks, columns). Block: 1024.
extern "C" __global__ void __launch_bounds__(1024)
    heddle_x_attention_scan(const __grid_constant__ xattention::XAttentionParams p) {
  const heddle::AttentionParams& attention = p.attention;
  heddle::countsToOffsets(blockIdx.x == 0 ? attention.blockOffsets : attention.columnOffsets,
                          int64_t(attention.sequenceCount) * attention.headSlots * attention.mostQueryBlocks,
                          p.totals + blockIdx.x);
}

// Grid: (query blocks / 8 rounded up, head slots, sequences). Block: 256.
extern "C" __global__ void __launch_bounds__(256)
    heddle_x_attention_emit(const __grid_constant__ xattention::XAttentionParams p) {
  xattention::emit(p);
}
