// The end of the tensor-core loop: out = O / z and lse = ln z + m, in coalesced rows.
#pragma once

#include "heddle/main_loop_mma.cuh"

namespace heddle {

// Writes this warp's rows. They pass through the warp's own rows of Q in shared memory, which no other
// warp reads: only the warp itself has to be done with them.
template <class Shape, bool Gathers>
__device__ inline void writeOut(MmaLoop<Shape, Gathers>& loop, const AttentionParams& params,
                                const typename Shape::Queries& queries) {
  using Element = typename Shape::Element;
  using Rows = SharedRows<Shape::kHeadDim>;
  constexpr int kWarpRows = 16 * Shape::kRowTiles;
  const int64_t firstRow = queries.sequence.firstQuery + queries.firstQuery;
  __syncwarp();
#pragma unroll
  for (int tile = 0; tile < Shape::kRowTiles; tile++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float total = loop.softmax.sum[2 * tile + half];
      total += __shfl_xor_sync(~0u, total, 1);
      total += __shfl_xor_sync(~0u, total, 2);
      const int row = loop.firstRow + tile * 16 + half * 8 + loop.lane / 4;
      const float factor = total == 0 ? NAN : 1 / total;
#pragma unroll
      for (int n = 0; n < Shape::kHeadDim / 8; n++) {
        const uint32_t both = pack<Element>(loop.out[tile][n][2 * half] * factor,
                                            loop.out[tile][n][2 * half + 1] * factor);
        *reinterpret_cast<uint32_t*>(loop.memory + Rows::offset(row, n) + loop.lane % 4 * 4) = both;
      }
      if (params.logSumExp != nullptr && loop.lane % 4 == 0 && row < queries.queries) {
        params.logSumExp[queries.queryHead * params.logSumExpHeadStride + firstRow + row] =
            loop.softmax.logSumExp(2 * tile + half, total);
      }
    }
  }
  __syncwarp();
  Element* out = static_cast<Element*>(params.out) + queries.queryHead * params.outHeadStride +
                 firstRow * params.outTokenStride;
  for (int i = loop.lane; i < kWarpRows * Rows::kChunks; i += 32) {
    const int row = loop.firstRow + i / Rows::kChunks;
    const int chunk = i % Rows::kChunks;
    if (row < queries.queries && chunk * 8 < params.headDim) {
      *reinterpret_cast<uint4*>(out + row * params.outTokenStride + chunk * 8) =
          *reinterpret_cast<const uint4*>(loop.memory + Rows::offset(row, chunk));
    }
  }
}

}  // namespace heddle
