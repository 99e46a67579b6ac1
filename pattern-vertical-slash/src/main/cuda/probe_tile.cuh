// The scores of 64 keys with 64 probes, by one warp: products of rows in shared memory.
//
// Thread (g, q) = (lane / 4, lane % 4) holds the scores of the neighbouring keys 8 g to 8 g + 7 with the
// neighbouring probes 16 q to 16 q + 15. So it can add up along columns and along diagonals by itself
// for the most part. The matrix instruction deals its results out differently, so the rows lie permuted
// in shared memory: key k in row 8 (k % 8) + k / 8, and probe p in row 8 (p % 16 / 2) + 2 (p / 16) + p % 2.
// The same permutations keep the loads of the float32 kernel free of bank conflicts.
#pragma once

#include "heddle/shared_rows.cuh"
#include "vertical_slash_params.cuh"

namespace vertical_slash {

using heddle::HeadRows;
using heddle::Sequence;

constexpr int kThreadKeys = 8;
constexpr int kThreadProbes = 16;

__device__ inline int rowOfKey(int key) { return key % 8 * 8 + key / 8; }
__device__ inline int rowOfProbe(int probe) {
  return probe % 16 / 2 * 8 + probe / 16 * 2 + probe % 2;
}

// How tiles lie in shared memory, and how many fit there.
template <class Element, int HeadDim>
struct ProbeShape {
  static constexpr bool kFloat = sizeof(Element) == 4;
  static constexpr int kRowBytes = (kFloat ? HeadDim + 4 : HeadDim) * int(sizeof(Element));
  static constexpr int kTileBytes = kTile * kRowBytes;
  static constexpr int kParts = kFloat ? 1 : 2;  // of a thread block, each with a tile of keys in memory
  static constexpr int kTeam = kFloat ? (HeadDim <= 128 ? 2 : 1) : (HeadDim <= 128 ? 4 : 2);
  static constexpr int kThreads = 32 * kTeam * kParts;

  __device__ static uint32_t offset(int row, int chunk) {
    if constexpr (kFloat) {
      return row * kRowBytes + chunk * 16;
    } else {
      return heddle::SharedRows<HeadDim>::offset(row, chunk);
    }
  }
};

// Starts the copy of 64 rows to shared memory, row `first + i` to the place rowOf(i); what is not among
// the rows begin to end - 1, or beyond headDim, becomes zero. This is thread `thread` of the `threads`
// that share the work, a multiple of 32.
template <class Element, int HeadDim, class RowOf>
__device__ inline void loadRows(unsigned char* target, const HeadRows& source, int first, int begin,
                                int end, int headDim, int thread, int threads, RowOf rowOf) {
  using Shape = ProbeShape<Element, HeadDim>;
  constexpr int kChunks = HeadDim * int(sizeof(Element)) / 16;
  constexpr int kLanes = kChunks <= 8 ? 8 : kChunks <= 16 ? 16 : 32;  // that share a row
  constexpr int kPerChunk = 16 / int(sizeof(Element));
  const uint32_t base = heddle::sharedAddress(target);
  const int rowsAtOnce = threads / kLanes;
#pragma unroll
  for (int firstChunk = 0; firstChunk < kChunks; firstChunk += kLanes) {
    const int chunk = firstChunk + thread % kLanes;
    if (chunk >= kChunks) {
      return;
    }
    const bool inRow = chunk * kPerChunk < headDim;
#pragma unroll 1
    for (int row = thread / kLanes; row < kTile; row += rowsAtOnce) {
      const bool valid = inRow && first + row >= begin && first + row < end;
      heddle::copyChunk(base + Shape::offset(rowOf(row), chunk),
                        source.row(valid ? first + row : 0) + (valid ? chunk * 16 : 0), valid);
    }
  }
}

struct Scores {
  float values[4][8][4];

  __device__ float& at(int key, int probe) {
    return values[key / 2][probe / 2][key % 2 * 2 + probe % 2];
  }

  __device__ void clear() {
#pragma unroll
    for (int i = 0; i < 128; i++) {
      values[i / 32][i / 4 % 8][i % 4] = 0;
    }
  }

  // Neighbours in this order belong to different columns and diagonals: sums of these do not wait for one
  // another.
  template <class Change>
  __device__ void forEach(Change change) {
#pragma unroll
    for (int probe = 0; probe < kThreadProbes; probe++) {
#pragma unroll
      for (int key = 0; key < kThreadKeys; key++) {
        change(key, probe, at(key, probe));
      }
    }
  }
};

// On tensor cores: keys are the rows of the product, probes its columns. What the next products need is
// loaded ahead of them: few warps are there to fill the wait.
template <class Element, int HeadDim>
__device__ inline void multiplyTile(Scores& scores, const unsigned char* probes,
                                    const unsigned char* keys) {
  using Rows = heddle::SharedRows<HeadDim>;
  constexpr int kSteps = HeadDim / 16;
  const int lane = threadIdx.x % 32;
  const uint32_t keysAt = heddle::sharedAddress(keys);
  const uint32_t probesAt = heddle::sharedAddress(probes);
  uint32_t k[4][4];
  uint32_t q[2][4];
  const auto loadKeys = [&](int step, int i) {
    heddle::loadMatrices(
        k[i], keysAt + Rows::offset(16 * i + Rows::laneRow(lane), 2 * step + Rows::laneChunk(lane)));
  };
  const auto loadProbes = [&](int step, int j) {
    heddle::loadMatrices(q[j % 2], probesAt + Rows::offset(16 * j + Rows::laneKey(lane),
                                                           2 * step + Rows::laneKeyChunk(lane)));
  };
#pragma unroll
  for (int i = 0; i < 4; i++) {
    loadKeys(0, i);
  }
  loadProbes(0, 0);
  scores.clear();
#pragma unroll
  for (int step = 0; step < kSteps; step++) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      if (4 * step + j + 1 < 4 * kSteps) {
        loadProbes(step + (j + 1) / 4, (j + 1) % 4);
      }
#pragma unroll
      for (int i = 0; i < 4; i++) {
        heddle::multiplyAdd<Element>(scores.values[i][2 * j], k[i], q[j % 2][0], q[j % 2][1]);
        heddle::multiplyAdd<Element>(scores.values[i][2 * j + 1], k[i], q[j % 2][2], q[j % 2][3]);
        if (j == 3 && step + 1 < kSteps) {
          loadKeys(step + 1, i);
        }
      }
    }
  }
}

// Float32 on the ordinary arithmetic units.
template <int HeadDim>
__device__ inline void multiplyFloatTile(Scores& scores, const unsigned char* probes,
                                         const unsigned char* keys) {
  constexpr int kRow = HeadDim + 4;
  const int lane = threadIdx.x % 32;
  const float* keyRows = reinterpret_cast<const float*>(keys) + lane / 4 * kRow;
  const float* probeRows = reinterpret_cast<const float*>(probes) + lane % 4 * 2 * kRow;
  scores.clear();
#pragma unroll 1
  for (int dim = 0; dim < HeadDim; dim += 4) {
    float4 k[kThreadKeys];
#pragma unroll
    for (int i = 0; i < kThreadKeys; i++) {
      k[i] = *reinterpret_cast<const float4*>(keyRows + 8 * i * kRow + dim);
    }
#pragma unroll
    for (int j = 0; j < kThreadProbes; j++) {
      const float4 q =
          *reinterpret_cast<const float4*>(probeRows + (j / 2 * 8 + j % 2) * kRow + dim);
#pragma unroll
      for (int i = 0; i < kThreadKeys; i++) {
        float& sum = scores.at(i, j);
        sum = fmaf(k[i].x, q.x, sum);
        sum = fmaf(k[i].y, q.y, sum);
        sum = fmaf(k[i].z, q.z, sum);
        sum = fmaf(k[i].w, q.w, sum);
      }
    }
  }
}

template <class Element, int HeadDim>
__device__ inline void multiply(Scores& scores, const unsigned char* probes,
                                const unsigned char* keys) {
  if constexpr (sizeof(Element) == 4) {
    multiplyFloatTile<HeadDim>(scores, probes, keys);
  } else {
    multiplyTile<Element, HeadDim>(scores, probes, keys);
  }
}

}  // namespace vertical_slash
