// Attention of 64 queries of float32 numbers at float32 accuracy, on the ordinary arithmetic units.
//
// The same equations as in main_loop_mma.cuh. Thread (x, y) of 16 x 16 computes the scores of queries
// 4y to 4y + 3 with keys x, x + 16, ..., and of those queries' output the dimensions 2x, 2x + 1,
// 2x + 32, ... Weights pass through shared memory; K and V take turns in one buffer.
//
// Rows in shared memory are 4 numbers longer than their contents, so that 16-byte reads of 8
// neighbouring rows fall into different banks.
#pragma once

#include "heddle/online_softmax.cuh"
#include "heddle/shared_rows.cuh"

namespace heddle {

template <int HeadDimension>
struct FloatShape {
  using Element = float;
  static constexpr int kHeadDim = HeadDimension;
  static constexpr int kTileRows = 64;
  static constexpr int kTileKeys = 64;
  static constexpr int kThreads = 256;
  static constexpr int kBlocksPerProcessor = kHeadDim > 128 ? 1 : 2;
  using Queries = QueryTile<kTileRows, kHeadDim * 4>;
  static constexpr int kRowLength = kHeadDim + 4;
  static constexpr int kWeightLength = kTileKeys + 4;
  static constexpr int kSharedBytes =
      ((kTileRows + kTileKeys) * kRowLength + kTileRows * kWeightLength) * 4 + 512;
};

// Starts the copy of rows to shared memory; what is not there becomes zero.
template <int Rows, int HeadDim, int RowLength, int Threads>
__device__ inline void copyFloatRows(float* target, const HeadRows& source, const KeyTile& tile,
                                     const int32_t* columns, int headDim) {
  constexpr int kChunks = HeadDim / 4;
#pragma unroll 4
  for (int i = threadIdx.x; i < Rows * kChunks; i += Threads) {
    const int row = i / kChunks;
    const int chunk = i % kChunks;
    const bool valid = row < tile.count && chunk * 4 < headDim;
    int key = 0;
    if (valid) {
      key = tile.isColumns() ? columns[tile.firstColumn() + row] & kKeyBits : tile.firstKey() + row;
    }
    copyChunk(sharedAddress(target + row * RowLength + chunk * 4),
              source.row(key) + (valid ? chunk * 16 : 0), valid);
  }
}

template <class Shape, bool Gathers>
struct FloatLoop {
  static constexpr int kRows = 4;  // per thread
  static constexpr int kKeys = Shape::kTileKeys / 16;
  static constexpr int kDimGroup = 32;
  static constexpr int kPairs = Shape::kHeadDim / 32;
  // Stands for the weight of a key that a query does not read: 0 * NaN would be NaN.
  static constexpr float kUnread = -1;

  float* query;
  float* tileRows;  // K, then V
  float* weights;
  int x;
  int y;
  HeadRows keys;
  HeadRows values;
  const int32_t* columns = nullptr;
  int headDim;
  int firstPosition;
  int half;  // of an index row's queries
  float scale;

  float2 out[kRows][kPairs];
  OnlineSoftmax<kRows, ExpExact> softmax;

  __device__ FloatLoop(const AttentionParams& params, const typename Shape::Queries& queries,
                       unsigned char* memory)
      : query(reinterpret_cast<float*>(memory)),
        tileRows(query + Shape::kTileRows * Shape::kRowLength),
        weights(tileRows + Shape::kTileKeys * Shape::kRowLength),
        x(threadIdx.x % 16),
        y(threadIdx.x / 16),
        keys(HeadRows::of<float>(params.keys, queries.keyValueHead, params.keyHeadStride,
                                 queries.sequence.firstKey, params.keyTokenStride)),
        values(HeadRows::of<float>(params.values, queries.keyValueHead, params.valueHeadStride,
                                   queries.sequence.firstKey, params.valueTokenStride)),
        headDim(params.headDim),
        firstPosition(queries.firstPosition),
        half(queries.firstQuery / kHalfRows % 2),
        scale(params.softmaxScale) {
#pragma unroll
    for (int i = 0; i < kRows * kPairs; i++) {
      (&out[0][0])[i] = {0, 0};
    }
    const HeadRows source = HeadRows::of<float>(
        params.queries, queries.queryHead, params.queryHeadStride,
        queries.sequence.firstQuery + queries.firstQuery, params.queryTokenStride);
    copyFloatRows<Shape::kTileRows, Shape::kHeadDim, Shape::kRowLength, Shape::kThreads>(
        query, source, {0, queries.queries}, nullptr, headDim);
  }

  template <class Policy>
  __device__ void run(const Policy& policy) {
    if constexpr (Gathers) {
      columns = policy.columns;
    }
    const int tiles = policy.tiles();
    for (int t = 0; t < tiles; t++) {
      const KeyTile tile = policy.tile(t);
      if (Gathers && !tile.isReadBy(half)) {
        continue;
      }
      const bool masked = needsMask(tile);
      load(keys, tile);
      float scores[kRows][kKeys];
      multiplyKeys(scores);
      __syncthreads();
      weigh(scores, tile, masked);
      load(values, tile);
      if (masked) {
        multiplyValues<true>();
      } else {
        multiplyValues<false>();
      }
      __syncthreads();
    }
  }

  __device__ void writeOut(const AttentionParams& params,
                           const typename Shape::Queries& queries) {
    const int64_t firstRow = queries.sequence.firstQuery + queries.firstQuery;
#pragma unroll
    for (int i = 0; i < kRows; i++) {
      const int row = y * kRows + i;
      const float total = sumOverRow(softmax.sum[i]);
      const float factor = total == 0 ? NAN : 1 / total;
      if (row >= queries.queries) {
        continue;
      }
      float* target = static_cast<float*>(params.out) + queries.queryHead * params.outHeadStride +
                      (firstRow + row) * params.outTokenStride;
#pragma unroll
      for (int pair = 0; pair < kPairs; pair++) {
        const int dim = pair * 32 + x * 2;
        if (dim < headDim) {
          *reinterpret_cast<float2*>(target + dim) = {out[i][pair].x * factor,
                                                      out[i][pair].y * factor};
        }
      }
      if (params.logSumExp != nullptr && x == 0) {
        params.logSumExp[queries.queryHead * params.logSumExpHeadStride + firstRow + row] =
            softmax.logSumExp(i, total);
      }
    }
  }

 private:
  __device__ bool needsMask(const KeyTile& tile) const {
    return tile.count < Shape::kTileKeys || entry(tile, tile.count - 1) > firstPosition;
  }

  __device__ void load(const HeadRows& source, const KeyTile& tile) {
    copyFloatRows<Shape::kTileKeys, Shape::kHeadDim, Shape::kRowLength, Shape::kThreads>(
        tileRows, source, tile, columns, headDim);
    waitForCopies();
    __syncthreads();
  }

  __device__ void multiplyKeys(float (&scores)[kRows][kKeys]) const {
#pragma unroll
    for (int i = 0; i < kRows * kKeys; i++) {
      (&scores[0][0])[i] = 0;
    }
    // Sums of kDimGroup products each, then their sum: rounding errors grow with the length of a chain.
#pragma unroll 1
    for (int dim = 0; dim < Shape::kHeadDim; dim += kDimGroup) {
      float sums[kRows][kKeys] = {};
#pragma unroll 1
      for (int i = 0; i < kDimGroup; i += 4) {
        addProducts(sums, dim + i);
      }
#pragma unroll
      for (int i = 0; i < kRows; i++) {
#pragma unroll
        for (int j = 0; j < kKeys; j++) {
          scores[i][j] += sums[i][j];
        }
      }
    }
#pragma unroll
    for (int i = 0; i < kRows; i++) {
#pragma unroll
      for (int j = 0; j < kKeys; j++) {
        scores[i][j] *= scale;
      }
    }
  }

  // Adds the products of four dimensions.
  __device__ void addProducts(float (&sums)[kRows][kKeys], int dim) const {
    float4 q[kRows];
#pragma unroll
    for (int i = 0; i < kRows; i++) {
      q[i] = *reinterpret_cast<const float4*>(query + (y * kRows + i) * Shape::kRowLength + dim);
    }
#pragma unroll
    for (int j = 0; j < kKeys; j++) {
      const float4 k =
          *reinterpret_cast<const float4*>(tileRows + (x + 16 * j) * Shape::kRowLength + dim);
#pragma unroll
      for (int i = 0; i < kRows; i++) {
        float sum = sums[i][j];
        sum = fmaf(q[i].x, k.x, sum);
        sum = fmaf(q[i].y, k.y, sum);
        sum = fmaf(q[i].z, k.z, sum);
        sums[i][j] = fmaf(q[i].w, k.w, sum);
      }
    }
  }

  __device__ void weigh(const float (&scores)[kRows][kKeys], const KeyTile& tile, bool masked) {
#pragma unroll
    for (int i = 0; i < kRows; i++) {
      bool read[kKeys];
      float greatest = -INFINITY;
#pragma unroll
      for (int j = 0; j < kKeys; j++) {
        read[j] = !masked || reads(y * kRows + i, x + 16 * j, tile);
        greatest = read[j] ? fmaxf(greatest, scores[i][j]) : greatest;
      }
#pragma unroll
      for (int distance = 1; distance < 16; distance *= 2) {
        greatest = fmaxf(greatest, __shfl_xor_sync(~0u, greatest, distance));
      }
      const float alpha = softmax.raise(i, greatest, 1);
#pragma unroll
      for (int pair = 0; pair < kPairs; pair++) {
        out[i][pair].x *= alpha;
        out[i][pair].y *= alpha;
      }
#pragma unroll
      for (int j = 0; j < kKeys; j++) {
        const float weight = read[j] ? softmax.weigh(i, scores[i][j], 1) : kUnread;
        weights[(y * kRows + i) * Shape::kWeightLength + x + 16 * j] = weight;
      }
    }
  }

  __device__ bool reads(int row, int key, const KeyTile& tile) const {
    return key < tile.count && positionFor(half, entry(tile, key)) <= firstPosition + row;
  }

  __device__ int entry(const KeyTile& tile, int key) const {
    const bool isColumns = Gathers && tile.isColumns();
    return isColumns ? columns[tile.firstColumn() + key] : tile.firstKey() + key;
  }

  // out += P V, the tile's sum by itself first: rounding errors grow with the length of a chain.
  template <bool Masked>
  __device__ void multiplyValues() {
#pragma unroll
    for (int pair = 0; pair < kPairs; pair++) {
      float2 sums[kRows] = {};
#pragma unroll 2
      for (int key = 0; key < Shape::kTileKeys; key += 4) {
        addValues<Masked>(sums, key, pair * 32 + x * 2);
      }
#pragma unroll
      for (int i = 0; i < kRows; i++) {
        out[i][pair].x += sums[i].x;
        out[i][pair].y += sums[i].y;
      }
    }
  }

  // Adds the products of four keys, in two dimensions.
  template <bool Masked>
  __device__ void addValues(float2 (&sums)[kRows], int firstKey, int dim) const {
    float2 v[4];
#pragma unroll
    for (int key = 0; key < 4; key++) {
      v[key] =
          *reinterpret_cast<const float2*>(tileRows + (firstKey + key) * Shape::kRowLength + dim);
    }
#pragma unroll
    for (int i = 0; i < kRows; i++) {
      const float4 four = *reinterpret_cast<const float4*>(
          weights + (y * kRows + i) * Shape::kWeightLength + firstKey);
      const float weight[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
      for (int key = 0; key < 4; key++) {
        if (!Masked || weight[key] != kUnread) {
          sums[i].x = fmaf(weight[key], v[key].x, sums[i].x);
          sums[i].y = fmaf(weight[key], v[key].y, sums[i].y);
        }
      }
    }
  }

  // The sum over the 16 threads that hold a row.
  __device__ static float sumOverRow(float sum) {
#pragma unroll
    for (int distance = 1; distance < 16; distance *= 2) {
      sum += __shfl_xor_sync(~0u, sum, distance);
    }
    return sum;
  }
};

}  // namespace heddle
