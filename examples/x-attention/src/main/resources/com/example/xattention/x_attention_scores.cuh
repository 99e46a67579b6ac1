// Scores of strided rows with strided keys: sums over antidiagonals of squares of stride x stride cells,
//
//     score(I, J) = softmaxScale log2(e) / stride * sum over t of q(I stride + stride - 1 - t) . k(J stride + t),
//
// as one product over stride * headDim numbers. What a row of tokens does not have counts as zero. Strided
// row I sees strided key J if the square begins on or below the diagonal: J stride <= position of query
// I stride. Of each row, and each key block of 64 keys, what is kept is the log2 of the sum of 2^score.
//
// A score that is not a number, or below -kMostScore, counts as -kMostScore.
#pragma once

#include <cmath>

#include "heddle/shared_rows.cuh"
#include "x_attention_params.cuh"

namespace xattention {

constexpr float kMostScore = 1e30f;
constexpr float kLog2E = 1.4426950408889634f;

// One tile of scores: which rows and keys it has, and where they lie.
template <int Rows, int Keys>
struct ScoreTile {
  Sequence sequence;
  int stride;
  int firstRow;  // strided, from the sequence's first query on
  int firstKey;  // strided
  int firstPosition;  // of the sequence's first query
  int queryHead;
  int keyValueHead;
  float scale;
  float* logs;  // of firstRow
  int logStride;
  int keyBlocks;  // that rows of this tile may need
  int rows;       // that this pass has

  // Grid: (tiles of keys, tiles of rows, sequences * head slots).
  __device__ explicit ScoreTile(const XAttentionParams& params) {
    const AttentionParams& attention = params.attention;
    const int unit = blockIdx.z;
    const int slot = unit % attention.headSlots;
    sequence = attention.sequences[unit / attention.headSlots];
    stride = HeadOptions(attention, slot).stride;
    queryHead = attention.heads[slot];
    keyValueHead = queryHead / attention.groupSize;
    firstPosition = sequence.keyTokens - sequence.queryTokens;
    scale = attention.softmaxScale * kLog2E / stride;
    const int passFirst = params.firstBlock * kQueryRows;
    const int passEnd = min(passFirst + params.passBlocks * kQueryRows, sequence.queryTokens);
    const int rowOfPass = blockIdx.y * Rows;
    firstRow = passFirst / stride + rowOfPass;
    firstKey = blockIdx.x * Keys;
    const int end = min((firstRow + Rows) * stride, passEnd);
    rows = (passEnd + stride - 1) / stride - firstRow;
    keyBlocks = (firstPosition + end + kKeyColumns - 1) / kKeyColumns;
    logStride = params.mostKeyBlocks;
    logs = params.blockLogs + (int64_t(unit) * params.passRows + rowOfPass) * logStride;
  }

  __device__ bool isNeeded() const {
    return rows > 0 && int64_t(firstKey) * stride < int64_t(keyBlocks) * kKeyColumns;
  }

  // The score of row and key `column` of the tile, of which `sum` is the product.
  __device__ float score(int row, int column, float sum) const {
    const bool seen = (firstKey + column) * stride <= firstPosition + (firstRow + row) * stride;
    return seen ? fminf(fmaxf(sum * scale, -kMostScore), kMostScore) : -INFINITY;
  }

  // Takes the scores of two neighbouring keys in each lane; of neighbouring lanes, those behind one another.
  // All lanes of the warp call it.
  __device__ void store(int row, int column, float first, float second) const {
    const int lanes = kKeyColumns / stride / 2;
    float greatest = fmaxf(first, second);
    for (int distance = 1; distance < lanes; distance *= 2) {
      greatest = fmaxf(greatest, __shfl_xor_sync(~0u, greatest, distance));
    }
    const float base = greatest == -INFINITY ? 0.f : greatest;
    float sum = heddle::exp2Fast(first - base) + heddle::exp2Fast(second - base);
    for (int distance = 1; distance < lanes; distance *= 2) {
      sum += __shfl_xor_sync(~0u, sum, distance);
    }
    const int block = (firstKey + column) * stride / kKeyColumns;
    if (threadIdx.x % lanes == 0 && row < rows && block < keyBlocks) {
      logs[int64_t(row) * logStride + block] = base + __log2f(sum);
    }
  }
};

__device__ inline void commitCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int Pending>
__device__ inline void waitForCommitted() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

// Scores of 16-bit numbers on tensor cores: 128 rows x 256 keys, 64 of the summed numbers at a time in
// Stages stages of shared memory. 8 warps have 64 x 64 scores each.
template <class Element, int Stages>
struct ScoreProduct {
  static constexpr int kRows = 128;
  static constexpr int kKeys = 256;
  static constexpr int kThreads = 256;
  static constexpr int kPanelDims = 64;
  using Panel = heddle::SharedRows<kPanelDims>;
  static constexpr int kStageBytes = (kRows + kKeys) * Panel::kRowBytes;
  static constexpr int kSharedBytes = Stages * kStageBytes;
  using Tile = ScoreTile<kRows, kKeys>;

  const Tile& tile;
  heddle::HeadRows queries;
  heddle::HeadRows keys;
  int headDim;
  int panels;
  uint32_t shared;
  float sums[4][8][4];  // [16 rows][8 keys][a lane's four]

  __device__ ScoreProduct(const AttentionParams& attention, const Tile& tile, const void* memory)
      : tile(tile),
        queries(heddle::HeadRows::of<Element>(attention.queries, tile.queryHead, attention.queryHeadStride,
                                              tile.sequence.firstQuery, attention.queryTokenStride)),
        keys(heddle::HeadRows::of<Element>(attention.keys, tile.keyValueHead, attention.keyHeadStride,
                                           tile.sequence.firstKey, attention.keyTokenStride)),
        headDim(attention.headDim),
        panels((attention.headDim + kPanelDims - 1) / kPanelDims),
        shared(heddle::sharedAddress(memory)),
        sums{} {}

  // Starts the copy of step `step`: number step / panels of the antidiagonals, some dimensions of it.
  __device__ void load(int step) const {
    const int t = step / panels;
    const int firstDim = (step - t * panels) * kPanelDims;
    const uint32_t target = shared + step % Stages * kStageBytes;
    const int firstQuery = tile.firstRow * tile.stride + tile.stride - 1 - t;
    const int firstKey = tile.firstKey * tile.stride + t;
    heddle::forOwnChunks<kRows, 8, kThreads>([&](int row, int chunk) {
      const int token = firstQuery + row * tile.stride;
      const int dim = firstDim + chunk * 8;
      const bool valid = token < tile.sequence.queryTokens && dim < headDim;
      heddle::copyChunk(target + Panel::offset(row, chunk), queries.row(valid ? token : 0) + (valid ? dim * 2 : 0),
                        valid);
    });
    heddle::forOwnChunks<kKeys, 8, kThreads>([&](int row, int chunk) {
      const int token = firstKey + row * tile.stride;
      const int dim = firstDim + chunk * 8;
      const bool valid = token < tile.sequence.keyTokens && dim < headDim;
      heddle::copyChunk(target + kRows * Panel::kRowBytes + Panel::offset(row, chunk),
                        keys.row(valid ? token : 0) + (valid ? dim * 2 : 0), valid);
    });
  }

  __device__ void multiply(int step) {
    const int lane = threadIdx.x % 32;
    const int firstRow = threadIdx.x / 128 * 64;
    const int firstKey = threadIdx.x / 32 % 4 * 64;
    const uint32_t rows = shared + step % Stages * kStageBytes;
    const uint32_t keyRows = rows + kRows * Panel::kRowBytes;
#pragma unroll
    for (int chunk = 0; chunk < 8; chunk += 2) {
      uint32_t a[4][4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        heddle::loadMatrices(a[i], rows + Panel::offset(firstRow + 16 * i + Panel::laneRow(lane),
                                                        chunk + Panel::laneChunk(lane)));
      }
#pragma unroll
      for (int j = 0; j < 4; j++) {
        uint32_t b[4];
        heddle::loadMatrices(b, keyRows + Panel::offset(firstKey + 16 * j + Panel::laneKey(lane),
                                                        chunk + Panel::laneKeyChunk(lane)));
#pragma unroll
        for (int i = 0; i < 4; i++) {
          heddle::multiplyAdd<Element>(sums[i][2 * j], a[i], b[0], b[1]);
          heddle::multiplyAdd<Element>(sums[i][2 * j + 1], a[i], b[2], b[3]);
        }
      }
    }
  }

  __device__ void run() {
    const int steps = tile.stride * panels;
#pragma unroll
    for (int step = 0; step < Stages - 1; step++) {
      if (step < steps) {
        load(step);
      }
      commitCopies();
    }
    for (int step = 0; step < steps; step++) {
      waitForCommitted<Stages - 2>();
      __syncthreads();
      if (step + Stages - 1 < steps) {
        load(step + Stages - 1);
      }
      commitCopies();
      multiply(step);
    }
  }

  __device__ void store() const {
    const int lane = threadIdx.x % 32;
    const int firstRow = threadIdx.x / 128 * 64 + lane / 4;
    const int firstKey = threadIdx.x / 32 % 4 * 64 + lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < 8; i++) {
      const int row = firstRow + 8 * i;
#pragma unroll
      for (int j = 0; j < 8; j++) {
        const int key = firstKey + 8 * j;
        tile.store(row, key, tile.score(row, key, sums[i / 2][j][i % 2 * 2]),
                   tile.score(row, key + 1, sums[i / 2][j][i % 2 * 2 + 1]));
      }
    }
  }
};

// The same for float32, by ordinary arithmetic: 64 rows x 64 keys, 16 numbers of the sum at a time. Thread
// (x, y) of 16 x 16 has the rows 4 y to 4 y + 3, and the keys 2 x, 2 x + 1 and those 32 further on.
struct FloatScoreProduct {
  static constexpr int kRows = 64;
  static constexpr int kKeys = 64;
  static constexpr int kThreads = 256;
  static constexpr int kDims = 16;
  using Tile = ScoreTile<kRows, kKeys>;

  struct Memory {
    float queries[kDims][kRows + 4];
    float keys[kDims][kKeys + 4];
  };

  // Some dimensions of one token for each of 64 rows; a thread loads four neighbours.
  __device__ static void load(float (&target)[kDims][kRows + 4], const heddle::HeadRows& source, int token,
                              int tokens, int firstDim, int headDim) {
    const int row = threadIdx.x / 4;
    const int dim = threadIdx.x % 4 * 4;
    float4 four = {0, 0, 0, 0};
    if (token < tokens && firstDim + dim < headDim) {
      four = *reinterpret_cast<const float4*>(source.row(token) + (firstDim + dim) * 4);
    }
    target[dim][row] = four.x;
    target[dim + 1][row] = four.y;
    target[dim + 2][row] = four.z;
    target[dim + 3][row] = four.w;
  }

  __device__ static void run(const AttentionParams& attention, const Tile& tile, Memory& memory) {
    const heddle::HeadRows queries =
        heddle::HeadRows::of<float>(attention.queries, tile.queryHead, attention.queryHeadStride,
                                    tile.sequence.firstQuery, attention.queryTokenStride);
    const heddle::HeadRows keys =
        heddle::HeadRows::of<float>(attention.keys, tile.keyValueHead, attention.keyHeadStride,
                                    tile.sequence.firstKey, attention.keyTokenStride);
    const int x = threadIdx.x % 16;
    const int y = threadIdx.x / 16;
    const int row = threadIdx.x / 4;
    float sums[4][4] = {};
    for (int t = 0; t < tile.stride; t++) {
      const int query = (tile.firstRow + row) * tile.stride + tile.stride - 1 - t;
      const int key = (tile.firstKey + row) * tile.stride + t;
      for (int firstDim = 0; firstDim < attention.headDim; firstDim += kDims) {
        __syncthreads();
        load(memory.queries, queries, query, tile.sequence.queryTokens, firstDim, attention.headDim);
        load(memory.keys, keys, key, tile.sequence.keyTokens, firstDim, attention.headDim);
        __syncthreads();
#pragma unroll
        for (int dim = 0; dim < kDims; dim++) {
          const float4 q = *reinterpret_cast<const float4*>(&memory.queries[dim][4 * y]);
          const float2 low = *reinterpret_cast<const float2*>(&memory.keys[dim][2 * x]);
          const float2 high = *reinterpret_cast<const float2*>(&memory.keys[dim][2 * x + 32]);
          const float rows[4] = {q.x, q.y, q.z, q.w};
          const float columns[4] = {low.x, low.y, high.x, high.y};
#pragma unroll
          for (int i = 0; i < 16; i++) {
            sums[i / 4][i % 4] = fmaf(rows[i / 4], columns[i % 4], sums[i / 4][i % 4]);
          }
        }
      }
    }
#pragma unroll
    for (int i = 0; i < 8; i++) {
      const int own = 4 * y + i / 2;
      const int column = 2 * x + i % 2 * 32;
      tile.store(own, column, tile.score(own, column, sums[i / 2][i % 2 * 2]),
                 tile.score(own, column + 1, sums[i / 2][i % 2 * 2 + 1]));
    }
  }
};

}  // namespace xattention
