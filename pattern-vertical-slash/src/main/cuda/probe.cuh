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
constexpr int kWeightLength = kGroup + 1;  // of a row of weights: columns and diagonals hit all banks
constexpr float kLowest = -60;

template <class Element, int HeadDim>
struct ProbeShape {
  static constexpr bool kFloat = sizeof(Element) == 4;
  static constexpr int kRowBytes = (kFloat ? HeadDim + 4 : HeadDim) * int(sizeof(Element));
  static constexpr int kTileBytes = kGroup * kRowBytes;
  static constexpr int kWeightsAt = 2 * kTileBytes;  // behind Q and K, or two tiles of K
  static constexpr int kColumnsAt = kWeightsAt + kGroup * kWeightLength * 4;
  static constexpr int kDiagonalsAt = kColumnsAt + kChunkKeys * 4;
  static constexpr int kSharedBytes = kDiagonalsAt + (kChunkKeys + kGroup) * 4;
};

// Starts the copy of 64 rows to shared memory.
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

// The scores of 64 probes with 64 keys, as one thread holds them: kRows x kKeys of them. kRowLanes
// neighbouring lanes of a warp share a row.
template <class Element, int HeadDim>
struct ProbeTile;

// On tensor cores. Warp w has the rows 16 w to 16 w + 15 of Q, and keeps them in registers: the memory
// that they came through becomes the second of two tiles of keys.
template <class Element, int HeadDim>
struct MmaProbeTile {
  using Rows = heddle::SharedRows<HeadDim>;
  static constexpr int kRows = 2;
  static constexpr int kKeys = kGroup / 4;
  static constexpr int kRowLanes = 4;
  static constexpr int kStages = 2;

  uint32_t queries[HeadDim / 16][4];
  float scores[kRows][kKeys];

  __device__ static int row(int i) { return threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4 + 8 * i; }
  __device__ static int key(int i) { return i / 2 * 8 + threadIdx.x % 4 * 2 + i % 2; }

  __device__ void takeQueries(const unsigned char* memory) {
    const int lane = threadIdx.x % 32;
    const int row = threadIdx.x / 32 * 16 + Rows::laneRow(lane);
#pragma unroll
    for (int dim = 0; dim < HeadDim / 16; dim++) {
      heddle::loadMatrices(queries[dim], heddle::sharedAddress(memory) +
                                             Rows::offset(row, 2 * dim + Rows::laneChunk(lane)));
    }
  }

  __device__ void multiply(const unsigned char*, const unsigned char* keys, float scale) {
    const int lane = threadIdx.x % 32;
    float sums[kGroup / 8][4] = {};
#pragma unroll
    for (int dim = 0; dim < HeadDim / 16; dim++) {
#pragma unroll
      for (int n = 0; n < kGroup / 16; n++) {
        uint32_t k[4];
        heddle::loadMatrices(k, heddle::sharedAddress(keys) +
                                    Rows::offset(n * 16 + Rows::laneKey(lane),
                                                 2 * dim + Rows::laneKeyChunk(lane)));
        heddle::multiplyAdd<Element>(sums[2 * n], queries[dim], k[0], k[1]);
        heddle::multiplyAdd<Element>(sums[2 * n + 1], queries[dim], k[2], k[3]);
      }
    }
#pragma unroll
    for (int i = 0; i < kRows * kKeys; i++) {
      scores[i / 2 % 2][i / 4 * 2 + i % 2] = finiteScore(sums[i / 4][i % 4], scale);
    }
  }
};

template <int HeadDim>
struct ProbeTile<heddle::Half, HeadDim> : MmaProbeTile<heddle::Half, HeadDim> {};
template <int HeadDim>
struct ProbeTile<heddle::BFloat, HeadDim> : MmaProbeTile<heddle::BFloat, HeadDim> {};

// Float32 on the ordinary arithmetic units.
template <int HeadDim>
struct ProbeTile<float, HeadDim> {
  static constexpr int kRows = 8;
  static constexpr int kKeys = 4;
  static constexpr int kRowLanes = 16;
  static constexpr int kStages = 1;
  static constexpr int kRowLength = HeadDim + 4;

  float scores[kRows][kKeys];

  __device__ static int row(int i) { return threadIdx.x / 16 * kRows + i; }
  __device__ static int key(int i) { return threadIdx.x % 16 + 16 * i; }

  __device__ void takeQueries(const unsigned char*) {}

  __device__ void multiply(const unsigned char* queries, const unsigned char* keys, float scale) {
    const float* q = reinterpret_cast<const float*>(queries) + row(0) * kRowLength;
    const float* k = reinterpret_cast<const float*>(keys) + key(0) * kRowLength;
    float sums[kRows][kKeys] = {};
#pragma unroll 4
    for (int dim = 0; dim < HeadDim; dim++) {
#pragma unroll
      for (int j = 0; j < kKeys; j++) {
        const float key = k[16 * j * kRowLength + dim];
#pragma unroll
        for (int i = 0; i < kRows; i++) {
          sums[i][j] = fmaf(q[i * kRowLength + dim], key, sums[i][j]);
        }
      }
    }
#pragma unroll
    for (int i = 0; i < kRows; i++) {
#pragma unroll
      for (int j = 0; j < kKeys; j++) {
        scores[i][j] = finiteScore(sums[i][j], scale);
      }
    }
  }
};

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

  __device__ float* weights() const { return reinterpret_cast<float*>(memory + Shape::kWeightsAt); }
  __device__ float* columns() const { return reinterpret_cast<float*>(memory + Shape::kColumnsAt); }
  __device__ float* diagonals() const {
    return reinterpret_cast<float*>(memory + Shape::kDiagonalsAt);
  }

  // Keys that probe `probe` sees: the last one sees all.
  __device__ int visibleKeys(int probe) const {
    return probe < probes ? sequence.keyTokens - (probes - 1 - probe) : 0;
  }

  // Calls add(first key of the tile, its scores) for each tile of the chunk with the group of probes
  // from firstProbe on. The copy of the next tile runs meanwhile where there is memory for it.
  template <class Add>
  __device__ void forTiles(int firstProbe, Add add) const {
    using Tile = ProbeTile<Element, HeadDim>;
    unsigned char* stages[2] = {memory + Shape::kTileBytes, memory};
    Tile scores;
    __syncthreads();
    loadRows<Element, HeadDim>(memory, queries, firstProbe, probes - firstProbe, attention.headDim);
    loadKeys(stages[0], firstKey);
    heddle::waitForCopies();
    __syncthreads();
    scores.takeQueries(memory);
    int stage = 0;
    for (int tile = firstKey; tile < endKey; tile += kGroup) {
      heddle::waitForCopies();
      __syncthreads();
      if (Tile::kStages == 2 && tile + kGroup < endKey) {
        loadKeys(stages[stage ^ 1], tile + kGroup);
      }
      scores.multiply(memory, stages[stage], attention.softmaxScale);
      if (Tile::kStages == 1) {
        __syncthreads();
        if (tile + kGroup < endKey) {
          loadKeys(stages[0], tile + kGroup);
        }
      } else {
        stage ^= 1;
      }
      add(tile, scores);
    }
  }

  __device__ void loadKeys(unsigned char* target, int first) const {
    loadRows<Element, HeadDim>(target, keys, first, endKey - first, attention.headDim);
  }

  // partials[probe][chunk] = greatest score and sum of exponentials in this chunk.
  __device__ void findStatistics() const {
    using Tile = ProbeTile<Element, HeadDim>;
    const int chunks = (params.mostKeyTokens + kChunkKeys - 1) / kChunkKeys;
    for (int key = firstKey + threadIdx.x; key < endKey; key += kProbeThreads) {
      params.offsetSums[unit * params.mostKeyTokens + key] = 0;
    }
    for (int first = 0; first < probes; first += kGroup) {
      float greatest[Tile::kRows];
      float sum[Tile::kRows];
#pragma unroll
      for (int i = 0; i < Tile::kRows; i++) {
        greatest[i] = -FLT_MAX;
        sum[i] = 0;
      }
      forTiles(first, [&](int tile, const Tile& scores) {
#pragma unroll
        for (int i = 0; i < Tile::kRows; i++) {
          addScores(scores.scores[i], visibleKeys(first + Tile::row(i)) - tile, greatest[i], sum[i]);
        }
      });
#pragma unroll
      for (int i = 0; i < Tile::kRows; i++) {
        const int probe = first + Tile::row(i);
        const float2 statistics = overRow<Tile::kRowLanes>(greatest[i], sum[i]);
        if (threadIdx.x % Tile::kRowLanes == 0 && probe < probes) {
          params.partials[(unit * params.mostProbes + probe) * chunks + blockIdx.y] = statistics;
        }
      }
    }
  }

  // Takes the scores of one row into its greatest score and sum; the row sees `count` keys of the tile.
  template <int Keys>
  __device__ static void addScores(const float (&scores)[Keys], int count, float& greatest,
                                   float& sum) {
    using Tile = ProbeTile<Element, HeadDim>;
    const float before = greatest;
#pragma unroll
    for (int j = 0; j < Keys; j++) {
      greatest = Tile::key(j) < count ? fmaxf(greatest, scores[j]) : greatest;
    }
    sum *= exponential(before - greatest);
#pragma unroll
    for (int j = 0; j < Keys; j++) {
      sum += Tile::key(j) < count ? exponential(scores[j] - greatest) : 0;
    }
  }

  // Combines what the lanes of a row have.
  template <int Lanes>
  __device__ static float2 overRow(float greatest, float sum) {
    float all = greatest;
#pragma unroll
    for (int distance = 1; distance < Lanes; distance *= 2) {
      all = fmaxf(all, __shfl_xor_sync(~0u, all, distance));
    }
    sum *= exponential(greatest - all);
#pragma unroll
    for (int distance = 1; distance < Lanes; distance *= 2) {
      sum += __shfl_xor_sync(~0u, sum, distance);
    }
    return {all, sum};
  }

  __device__ static float exponential(float difference) {
    return heddle::exp2Fast(fmaxf(difference, kLowest) * heddle::kLog2E);
  }

  // Adds the weights of all probes to the sums.
  __device__ void addWeights() const {
    using Tile = ProbeTile<Element, HeadDim>;
    for (int i = threadIdx.x; i < kChunkKeys; i += kProbeThreads) {
      columns()[i] = 0;
    }
    for (int first = 0; first < probes; first += kGroup) {
      for (int i = threadIdx.x; i < kChunkKeys + kGroup; i += kProbeThreads) {
        diagonals()[i] = 0;
      }
      float2 statistics[Tile::kRows];
#pragma unroll
      for (int i = 0; i < Tile::kRows; i++) {
        const int probe = min(first + Tile::row(i), probes - 1);
        statistics[i] = params.statistics[unit * params.mostProbes + probe];
      }
      forTiles(first, [&](int tile, const Tile& scores) {
        storeWeights(first, tile, scores, statistics);
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

  // Makes weights of the tile's scores, 0 for what a probe does not see.
  template <class Tile>
  __device__ void storeWeights(int firstProbe, int tile, const Tile& scores,
                               const float2 (&statistics)[Tile::kRows]) const {
#pragma unroll
    for (int i = 0; i < Tile::kRows; i++) {
      const int count = visibleKeys(firstProbe + Tile::row(i)) - tile;
#pragma unroll
      for (int j = 0; j < Tile::kKeys; j++) {
        const float weight = exponential(scores.scores[i][j] - statistics[i].x) * statistics[i].y;
        weights()[Tile::row(i) * kWeightLength + Tile::key(j)] = Tile::key(j) < count ? weight : 0;
      }
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
        sum += weights()[row * kWeightLength + thread];
      }
      columns()[firstOfChunk + thread] += sum;
    }
    if (thread < 2 * kGroup - 1) {
      float sum = 0;
#pragma unroll 16
      for (int row = 0; row < kGroup; row++) {
        const int key = thread - (kGroup - 1) + row;
        sum += key >= 0 && key < kGroup ? weights()[row * kWeightLength + key] : 0;
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
