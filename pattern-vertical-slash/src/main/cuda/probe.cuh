// What the last queries of a prompt attend to: their softmax rows, summed by column and by offset.
//
// With s = scale q . k for the probe query at position p and key j <= p, m and z its greatest score and
// sum of exponentials over all its keys,
//
//     columnSums[j] = sum over p of exp(s - m) / z,     offsetSums[p - j] likewise.
//
// Two passes over K: the first finds m and z of each chunk of keys (then combined), the second computes
// the scores again and adds up. Scores are never stored: to compute them twice costs less than to write
// and read them. As on the host, NaN counts as the lowest score, infinities as the greatest finite ones,
// and what lies more than 60 below m counts as 60 below.
//
// Grid: (head slots, chunks of keys, sequences). Block: 128. Dynamic shared memory:
// ProbeShape::kSharedBytes.
#pragma once

#include <cfloat>

#include "heddle/online_softmax.cuh"
#include "heddle/shared_rows.cuh"
#include "vertical_slash_params.cuh"

namespace vertical_slash {

using heddle::AttentionParams;
using heddle::HeadRows;
using heddle::Sequence;

constexpr int kProbeThreads = 128;
constexpr int kScoreLength = kGroup + 1;  // of a row of scores: columns and diagonals hit all banks
constexpr float kLowest = -60;

template <class Element, int HeadDim>
struct ProbeShape {
  static constexpr bool kFloat = sizeof(Element) == 4;
  static constexpr int kRowBytes = (kFloat ? HeadDim + 4 : HeadDim) * int(sizeof(Element));
  static constexpr int kTileBytes = kGroup * kRowBytes;
  static constexpr int kScoresAt = 2 * kTileBytes;  // behind Q and K
  static constexpr int kColumnsAt = kScoresAt + kGroup * kScoreLength * 4;
  static constexpr int kDiagonalsAt = kColumnsAt + kChunkKeys * 4;
  static constexpr int kSharedBytes = kDiagonalsAt + (kChunkKeys + kGroup) * 4;
};

// Copies 64 rows to shared memory and waits for them.
template <class Element, int HeadDim>
__device__ inline void loadRows(unsigned char* target, const HeadRows& source, int first, int count,
                                int headDim) {
  constexpr int kChunks = HeadDim * int(sizeof(Element)) / 16;
  constexpr int kPerChunk = 16 / int(sizeof(Element));
  heddle::forOwnChunks<kGroup, kChunks, kProbeThreads>([&](int row, int chunk) {
    const bool valid = row < count && chunk * kPerChunk < headDim;
    uint32_t offset = row * ProbeShape<Element, HeadDim>::kRowBytes + chunk * 16;
    if constexpr (sizeof(Element) == 2) {
      offset = heddle::SharedRows<HeadDim>::offset(row, chunk);
    }
    heddle::copyChunk(heddle::sharedAddress(target) + offset,
                      source.row(valid ? first + row : 0) + (valid ? chunk * 16 : 0), valid);
  });
}

// The score as the host sees it.
__device__ inline float finiteScore(float product, float scale) {
  return fminf(fmaxf(product * scale, -FLT_MAX), FLT_MAX);
}

// scores[64][64] = Q K^T scaled, on tensor cores; warp w has the rows 16 w to 16 w + 15.
template <class Element, int HeadDim>
__device__ inline void multiply(const unsigned char* queries, const unsigned char* keys,
                                float* scores, float scale) {
  if constexpr (sizeof(Element) == 2) {
    using Rows = heddle::SharedRows<HeadDim>;
    const int lane = threadIdx.x % 32;
    const int firstRow = threadIdx.x / 32 * 16;
    float sums[kGroup / 8][4] = {};
#pragma unroll
    for (int dim = 0; dim < HeadDim / 16; dim++) {
      uint32_t q[4];
      heddle::loadMatrices(q, heddle::sharedAddress(queries) +
                                  Rows::offset(firstRow + Rows::laneRow(lane),
                                               2 * dim + Rows::laneChunk(lane)));
#pragma unroll
      for (int key = 0; key < kGroup / 16; key++) {
        uint32_t k[4];
        heddle::loadMatrices(k, heddle::sharedAddress(keys) +
                                    Rows::offset(key * 16 + Rows::laneKey(lane),
                                                 2 * dim + Rows::laneKeyChunk(lane)));
        heddle::multiplyAdd<Element>(sums[2 * key], q, k[0], k[1]);
        heddle::multiplyAdd<Element>(sums[2 * key + 1], q, k[2], k[3]);
      }
    }
#pragma unroll
    for (int n = 0; n < kGroup / 8; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const int row = firstRow + lane / 4 + i / 2 * 8;
        scores[row * kScoreLength + n * 8 + lane % 4 * 2 + i % 2] = finiteScore(sums[n][i], scale);
      }
    }
  } else {
    constexpr int kRowLength = HeadDim + 4;
    const int x = threadIdx.x % 16;
    const int y = threadIdx.x / 16;
    const float* q = reinterpret_cast<const float*>(queries) + y * 8 * kRowLength;
    const float* k = reinterpret_cast<const float*>(keys) + x * kRowLength;
    float sums[8][4] = {};
    for (int dim = 0; dim < HeadDim; dim++) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const float key = k[16 * j * kRowLength + dim];
#pragma unroll
        for (int i = 0; i < 8; i++) {
          sums[i][j] = fmaf(q[i * kRowLength + dim], key, sums[i][j]);
        }
      }
    }
#pragma unroll
    for (int i = 0; i < 8; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        scores[(y * 8 + i) * kScoreLength + x + 16 * j] = finiteScore(sums[i][j], scale);
      }
    }
  }
}

// One thread block's chunk of keys of one unit.
template <class Element, int HeadDim>
struct Probe {
  using Shape = ProbeShape<Element, HeadDim>;

  const VerticalSlashParams& params;
  const AttentionParams& attention;
  unsigned char* memory;
  Sequence sequence;
  int64_t unit;
  int probes;
  int firstKey;
  int endKey;
  HeadRows queries;  // the probes
  HeadRows keys;

  __device__ Probe(const VerticalSlashParams& parameters, unsigned char* sharedMemory)
      : params(parameters), attention(parameters.attention), memory(sharedMemory) {
    const int slot = blockIdx.x;
    const int head = attention.heads[slot];
    sequence = attention.sequences[blockIdx.z];
    unit = int64_t(blockIdx.z) * attention.headSlots + slot;
    const Options options(attention, slot);
    probes = options.keepsAll(sequence.keyTokens) ? 0 : options.probes(sequence);
    firstKey = blockIdx.y * kChunkKeys;
    endKey = min(firstKey + kChunkKeys, sequence.keyTokens);
    queries = HeadRows::of<Element>(attention.queries, head, attention.queryHeadStride,
                                    sequence.firstQuery + sequence.queryTokens - probes,
                                    attention.queryTokenStride);
    keys = HeadRows::of<Element>(attention.keys, head / attention.groupSize, attention.keyHeadStride,
                                 sequence.firstKey, attention.keyTokenStride);
  }

  __device__ bool isEmpty() const { return probes == 0 || firstKey >= endKey; }

  __device__ float* scores() const { return reinterpret_cast<float*>(memory + Shape::kScoresAt); }
  __device__ float* columns() const { return reinterpret_cast<float*>(memory + Shape::kColumnsAt); }
  __device__ float* diagonals() const {
    return reinterpret_cast<float*>(memory + Shape::kDiagonalsAt);
  }

  // Keys that probe `probe` sees: the last one sees all.
  __device__ int visibleKeys(int probe) const {
    return probe < probes ? sequence.keyTokens - (probes - 1 - probe) : 0;
  }

  // Calls add(first key of the tile) for each tile of the chunk, with its scores with the group of
  // probes from firstProbe on in shared memory.
  template <class Add>
  __device__ void forTiles(int firstProbe, Add add) const {
    __syncthreads();
    loadRows<Element, HeadDim>(memory, queries, firstProbe, probes - firstProbe, attention.headDim);
    for (int tile = firstKey; tile < endKey; tile += kGroup) {
      loadRows<Element, HeadDim>(memory + Shape::kTileBytes, keys, tile, endKey - tile,
                                 attention.headDim);
      heddle::waitForCopies();
      __syncthreads();
      multiply<Element, HeadDim>(memory, memory + Shape::kTileBytes, scores(),
                                 attention.softmaxScale);
      __syncthreads();
      add(tile);
      // The next tile's products write scores only after the barrier behind its copies.
    }
  }

  // partials[probe][chunk] = greatest score and sum of exponentials in this chunk. Two threads a row.
  __device__ void findStatistics() const {
    const int chunks = (params.mostKeyTokens + kChunkKeys - 1) / kChunkKeys;
    for (int key = firstKey + threadIdx.x; key < endKey; key += kProbeThreads) {
      params.offsetSums[unit * params.mostKeyTokens + key] = 0;
    }
    for (int first = 0; first < probes; first += kGroup) {
      const int row = threadIdx.x / 2;
      const int visible = visibleKeys(first + row);
      float greatest = -FLT_MAX;
      float sum = 0;
      forTiles(first, [&](int tile) {
        const float* line = scores() + row * kScoreLength;
        const int count = min(kGroup, visible - tile);
        float above = greatest;
        for (int key = threadIdx.x % 2; key < count; key += 2) {
          above = fmaxf(above, line[key]);
        }
        sum *= exponential(greatest - above);
        greatest = above;
        for (int key = threadIdx.x % 2; key < count; key += 2) {
          sum += exponential(line[key] - greatest);
        }
      });
      const float other = __shfl_xor_sync(~0u, greatest, 1);
      const float both = fmaxf(greatest, other);
      sum *= exponential(greatest - both);
      sum += __shfl_xor_sync(~0u, sum, 1);
      if (threadIdx.x % 2 == 0 && first + row < probes) {
        params.partials[(unit * params.mostProbes + first + row) * chunks + blockIdx.y] = {both, sum};
      }
    }
  }

  __device__ static float exponential(float difference) {
    return heddle::exp2Fast(fmaxf(difference, kLowest) * heddle::kLog2E);
  }

  // Adds the weights of all probes to the sums.
  __device__ void addWeights() const {
    for (int i = threadIdx.x; i < kChunkKeys; i += kProbeThreads) {
      columns()[i] = 0;
    }
    for (int first = 0; first < probes; first += kGroup) {
      for (int i = threadIdx.x; i < kChunkKeys + kGroup; i += kProbeThreads) {
        diagonals()[i] = 0;
      }
      forTiles(first, [&](int tile) {
        weigh(first, tile);
        __syncthreads();
        addTile(tile - firstKey);
      });
      __syncthreads();
      writeDiagonals(first);
    }
    for (int key = firstKey + threadIdx.x; key < endKey; key += kProbeThreads) {
      params.columnSums[unit * params.mostKeyTokens + key] = columns()[key - firstKey];
    }
  }

  // Replaces the tile's scores by weights, 0 for what a probe does not see.
  __device__ void weigh(int firstProbe, int tile) const {
    for (int i = threadIdx.x; i < kGroup * kGroup; i += kProbeThreads) {
      const int row = i / kGroup;
      const int key = i % kGroup;
      float weight = 0;
      if (tile + key < visibleKeys(firstProbe + row)) {
        const float2 statistics = params.statistics[unit * params.mostProbes + firstProbe + row];
        weight = exponential(scores()[row * kScoreLength + key] - statistics.x) * statistics.y;
      }
      scores()[row * kScoreLength + key] = weight;
    }
  }

  // Adds a tile's weights along columns and diagonals. Diagonal d of the group holds the keys that lie
  // at one offset before their probes: key (of the chunk) + 63 - row = d.
  __device__ void addTile(int firstOfChunk) const {
    const int thread = threadIdx.x;
    if (thread < kGroup) {
      float sum = 0;
#pragma unroll 16
      for (int row = 0; row < kGroup; row++) {
        sum += scores()[row * kScoreLength + thread];
      }
      columns()[firstOfChunk + thread] += sum;
    }
    if (thread < 2 * kGroup - 1) {
      float sum = 0;
#pragma unroll 16
      for (int row = 0; row < kGroup; row++) {
        const int key = thread - (kGroup - 1) + row;
        sum += key >= 0 && key < kGroup ? scores()[row * kScoreLength + key] : 0;
      }
      diagonals()[firstOfChunk + thread] += sum;
    }
  }

  // The chunk before adds to the first 63 of these sums as well; of up to 64 probes no third one does,
  // so that the order of additions does not matter and the sums are the same on every run.
  __device__ void writeDiagonals(int firstProbe) const {
    // The last probe (behind it: none) sees its own position at offset 0.
    const int behind = probes - 1 - firstProbe - (kGroup - 1);
    for (int i = threadIdx.x; i < kChunkKeys + kGroup; i += kProbeThreads) {
      const int offset = sequence.keyTokens - 1 - (firstKey + behind + i);
      if (diagonals()[i] != 0 && offset >= 0 && offset < sequence.keyTokens) {
        atomicAdd(params.offsetSums + unit * params.mostKeyTokens + offset, diagonals()[i]);
      }
    }
    __syncthreads();
  }
};

// statistics[probe] = greatest score and 1 / sum over all chunks.
// Grid: (head slots, probes / 8 rounded up, sequences). Block: 256, a warp per probe.
__device__ inline void combineStatistics(const VerticalSlashParams& params) {
  const AttentionParams& attention = params.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const Options options(attention, blockIdx.x);
  const int probe = blockIdx.y * 8 + threadIdx.x / 32;
  if (options.keepsAll(sequence.keyTokens) || probe >= options.probes(sequence)) {
    return;
  }
  const int64_t row = (int64_t(blockIdx.z) * attention.headSlots + blockIdx.x) * params.mostProbes + probe;
  const int chunks = (params.mostKeyTokens + kChunkKeys - 1) / kChunkKeys;
  const int ownChunks = (sequence.keyTokens + kChunkKeys - 1) / kChunkKeys;
  const float2* partials = params.partials + row * chunks;
  float greatest = -FLT_MAX;
  for (int i = threadIdx.x % 32; i < ownChunks; i += 32) {
    greatest = fmaxf(greatest, partials[i].x);
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    greatest = fmaxf(greatest, __shfl_xor_sync(~0u, greatest, distance));
  }
  float sum = 0;
  for (int i = threadIdx.x % 32; i < ownChunks; i += 32) {
    sum += partials[i].y * heddle::exp2Fast((partials[i].x - greatest) * heddle::kLog2E);
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(~0u, sum, distance);
  }
  if (threadIdx.x % 32 == 0) {
    params.statistics[row] = {greatest, 1 / sum};
  }
}

}  // namespace vertical_slash
