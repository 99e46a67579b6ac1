// The end of a query tile on compute capability 9.0: out = O / z and lse = ln z + m, in coalesced rows.
#pragma once

#include "heddle/main_loop_hopper.cuh"
#include "heddle/repair.cuh"

#ifdef HEDDLE_HOPPER

namespace heddle {

// Works out rows of a warp again; bit r of `rows` stands for row firstRow + r of the query tile.
template <class Shape, class Policy>
__device__ __noinline__ void repairRows(const AttentionParams& params, int number, int firstRow,
                                        uint32_t rows) {
  using Element = typename Shape::Element;
  const int perSequence = params.headSlots * params.mostQueryBlocks;
  const typename Shape::Queries queries(params, {number / perSequence, number % perSequence,
                                                 params.headSlots, params.mostQueryBlocks});
  const Policy policy(params, queries);
  for (; rows != 0; rows &= rows - 1) {
    const int row = firstRow + __ffs(rows) - 1;
    const int64_t token = queries.sequence.firstQuery + queries.firstQuery + row;
    const RepairedRow<Element, Shape::kHeadDim> repaired = {
        params,
        int(threadIdx.x % 32),
        row / kHalfRows,
        queries.firstPosition + row,
        static_cast<const Element*>(params.queries) + queries.queryHead * params.queryHeadStride +
            token * params.queryTokenStride,
        HeadRows::of<Element>(params.keys, queries.keyValueHead, params.keyHeadStride,
                              queries.sequence.firstKey, params.keyTokenStride),
        HeadRows::of<Element>(params.values, queries.keyValueHead, params.valueHeadStride,
                              queries.sequence.firstKey, params.valueTokenStride)};
    repaired.repair(policy, static_cast<Element*>(params.out) +
                                queries.queryHead * params.outHeadStride +
                                token * params.outTokenStride);
  }
}

// Writes this warp's 16 rows. They pass through the warpgroup's rows of Q in shared memory, which it has to
// be done with; the other warpgroup's rows are not touched.
template <class Policy, class Shape, bool Gathers>
__device__ inline void writeOut(HopperConsumer<Shape, Gathers>& loop, const HopperWork& work) {
  using Element = typename Shape::Element;
  const AttentionParams& params = loop.params;
  const uint32_t stage = loop.shared.queriesAt(loop.queryStage());
  const int firstRow = loop.row - loop.lane / 4;
  uint32_t toRepair = 0;
  loop.syncGroup();
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int row = loop.row + 8 * half;
    float total = loop.softmax.sum[half];
    total += __shfl_xor_sync(~0u, total, 1);
    total += __shfl_xor_sync(~0u, total, 2);
    const float factor = total == 0 ? NAN : 1 / total;
    bool isFinite = true;
#pragma unroll
    for (int n = 0; n < Shape::kHeadDim / 8; n++) {
      const float low = loop.out[4 * n + 2 * half] * factor;
      const float high = loop.out[4 * n + 2 * half + 1] * factor;
      isFinite = isFinite && isfinite(low) && isfinite(high);
      const uint32_t place = stage + n / 8 * Shape::kQueryPanelBytes + panelOffset(row, n % 8);
      *reinterpret_cast<uint32_t*>(loop.shared.memory + place + loop.lane % 4 * 4) =
          pack<Element>(low, high);
    }
    const bool isRead = row < work.queries;
    const uint32_t damaged =
        __ballot_sync(~0u, isRead && !isFinite && isfinite(total) && total > 0);
#pragma unroll
    for (int quad = 0; quad < 8; quad++) {
      toRepair |= (damaged >> 4 * quad & 15) != 0 ? 1u << (8 * half + quad) : 0;
    }
    if (params.logSumExp != nullptr && loop.lane % 4 == 0 && isRead) {
      params.logSumExp[work.queryHead * params.logSumExpHeadStride + work.firstRow + row] =
          loop.softmax.logSumExp(half, total);
    }
  }
  __syncwarp();
  Element* out = static_cast<Element*>(params.out) + work.queryHead * params.outHeadStride +
                 work.firstRow * params.outTokenStride;
  constexpr int kChunks = Shape::kHeadDim / 8;
#pragma unroll 4
  for (int i = loop.lane; i < 16 * kChunks; i += 32) {
    const int row = firstRow + i / kChunks;
    const int chunk = i % kChunks;
    if (row < work.queries && chunk * 8 < params.headDim) {
      const uint32_t place = stage + chunk / 8 * Shape::kQueryPanelBytes + panelOffset(row, chunk % 8);
      *reinterpret_cast<uint4*>(out + row * params.outTokenStride + chunk * 8) =
          *reinterpret_cast<const uint4*>(loop.shared.memory + place);
    }
  }
  if (toRepair != 0) {
    __syncwarp();
    repairRows<Shape, Policy>(params, work.number, firstRow, toRepair);
  }
}

}  // namespace heddle

#endif
