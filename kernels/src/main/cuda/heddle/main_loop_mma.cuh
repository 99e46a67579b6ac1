// Attention of 128 queries of 16-bit numbers on tensor cores (mma.sync), with float32 accumulation.
//
//     out[i] = sum_j softmax_j(scale q[i] . k[j]) v[j],   lse[i] = ln sum_j exp(scale q[i] . k[j])
//
// over the keys j that the policy yields and that do not lie after query i. Tiles of keys are copied
// to shared memory row by row (a row of K or V is contiguous, whichever key it is), one tile ahead of
// the products: while tile t is computed, tile t + 1 arrives in the other stage, and the list of
// columns of tile t + 2 in the ring of positions. One barrier per tile:
//
//     wait for own copies of tile t; barrier          tile t is there, tile t - 1 is done with
//     start copies of tile t + 1 over tile t - 1
//     S = Q K^T;  P = softmax weights of S;  O = alpha O + P V
//
// A warp holds kRowTiles x 16 query rows. 32 rows (up to head dim 128) read each matrix of K and V from
// shared memory half as often per product as 16 rows do, which is what bounds the loop; at head dim 256
// the output of 32 rows does not fit into the registers.
#pragma once

#include "heddle/finite_values.cuh"
#include "heddle/online_softmax.cuh"

namespace heddle {

template <class ElementType, int HeadDimension>
struct MmaShape {
  using Element = ElementType;
  static constexpr int kHeadDim = HeadDimension;
  static constexpr int kTileRows = 128;
  static constexpr int kRowTiles = kHeadDim > 128 ? 1 : 2;
  static constexpr int kWarps = kTileRows / (16 * kRowTiles);
  static constexpr int kThreads = 32 * kWarps;
  static constexpr int kTileKeys = kHeadDim > 128 ? 32 : 64;
  // 64: 3 blocks of 170 registers a thread; 96 and 128: 2 of 255; 256: 1 of 255.
  static constexpr int kBlocksPerProcessor = kHeadDim > 128 ? 1 : kHeadDim > 64 ? 2 : 3;

  using Queries = QueryTile<kTileRows, kHeadDim * 2>;

  static constexpr int kQueryBytes = kTileRows * kHeadDim * 2;
  static constexpr int kTileBytes = kTileKeys * kHeadDim * 2;
  static constexpr int kPositionSlots = 4;
  static constexpr int kStageBytes = 2 * kTileBytes;  // K, then V
  static constexpr int kPositionsAt = kQueryBytes + 2 * kStageBytes;
  static constexpr int kMarksAt = kPositionsAt + kPositionSlots * 64 * 4;
  static constexpr int kSharedBytes = kMarksAt + 128;
};

template <class Shape, bool Gathers>
struct MmaLoop {
  using Element = typename Shape::Element;
  using Rows = SharedRows<Shape::kHeadDim>;
  static constexpr int kKeySteps = Shape::kTileKeys / 16;
  static constexpr int kDimSteps = Shape::kHeadDim / 16;
  static constexpr int kRowTiles = Shape::kRowTiles;

  using Scores = float[kRowTiles][2 * kKeySteps][4];
  using Weights = uint32_t[kRowTiles][kKeySteps][4];

  const AttentionParams& params;
  unsigned char* memory;
  uint32_t address;  // of memory
  int lane;
  int firstRow;  // of this warp
  HeadRows keys;
  HeadRows values;
  int firstPosition;

  float out[kRowTiles][2 * kDimSteps][4];
  OnlineSoftmax<2 * kRowTiles, Exp2> softmax;

  __device__ MmaLoop(const AttentionParams& parameters, const typename Shape::Queries& queries,
                     unsigned char* sharedMemory)
      : params(parameters),
        memory(sharedMemory),
        address(sharedAddress(sharedMemory)),
        lane(threadIdx.x % 32),
        firstRow(threadIdx.x / 32 * (16 * kRowTiles)),
        keys(HeadRows::of<Element>(params.keys, queries.keyValueHead, params.keyHeadStride,
                                   queries.sequence.firstKey, params.keyTokenStride)),
        values(HeadRows::of<Element>(params.values, queries.keyValueHead, params.valueHeadStride,
                                     queries.sequence.firstKey, params.valueTokenStride)),
        firstPosition(queries.firstPosition) {
#pragma unroll
    for (int i = 0; i < kRowTiles * 2 * kDimSteps * 4; i++) {
      (&out[0][0][0])[i] = 0;
    }
  }

  template <class Policy>
  __device__ void run(const Policy& policy) {
    const int tiles = policy.tiles();
    if (tiles == 0) {
      return;
    }
    KeyTile tile = policy.tile(0);
    KeyTile next = policy.tile(min(1, tiles - 1));
    startFirstTiles(policy, tile, next);
    for (int t = 0; t < tiles; t++) {
      waitForCopies();
      const bool masked = needsMask(tile, t);
      if (masked) {
        takeOutNonFinite<Element, Shape::kTileKeys, Shape::kHeadDim, Shape::kThreads>(
            memory + valuesAt(t), marks().marks[t % NonFiniteKeys::kSlots]);
      }
      __syncthreads();
      if (threadIdx.x == 0) {
        marks().clear(t + 2);
      }
      const KeyTile afterNext = policy.tile(min(t + 2, tiles - 1));
      if (t + 1 < tiles) {
        startTile(next, t + 1);
        startPositions(policy, afterNext, t + 2);
      }
      // All lanes know; without the vote the compiler spills registers over it.
      if (!Gathers || __any_sync(~0u, tile.isReadBy(firstRow / kHalfRows))) {
        addTile(tile, t, masked);
      }
      tile = next;
      next = afterNext;
    }
  }

 private:
  __device__ static int keysAt(int t) {
    return Shape::kQueryBytes + (t & 1) * Shape::kStageBytes;
  }

  __device__ static int valuesAt(int t) { return keysAt(t) + Shape::kTileBytes; }

  __device__ int32_t* positions(int t) const {
    return reinterpret_cast<int32_t*>(memory + Shape::kPositionsAt) +
           t % Shape::kPositionSlots * 64;
  }

  __device__ NonFiniteKeys& marks() const {
    return *reinterpret_cast<NonFiniteKeys*>(memory + Shape::kMarksAt);
  }

  template <class Policy>
  __device__ void startFirstTiles(const Policy& policy, const KeyTile& first,
                                  const KeyTile& second) {
    if (threadIdx.x == 0) {
      marks().clear(0);
      marks().clear(1);
    }
    if (Gathers) {
      startPositions(policy, first, 0);
      startPositions(policy, second, 1);
      waitForCopies();
    }
    __syncthreads();
    startTile(first, 0);
  }

  // Starts the copy of the list of a tile's keys, if it is one of columns.
  template <class Policy>
  __device__ void startPositions(const Policy& policy, const KeyTile& tile, int t) {
    if constexpr (Gathers) {
      if (tile.isColumns() && threadIdx.x < Shape::kTileKeys) {
        const bool valid = int(threadIdx.x) < tile.count;
        copyWord(sharedAddress(positions(t) + threadIdx.x),
                 policy.columns + tile.firstColumn() + (valid ? threadIdx.x : 0), valid);
      }
    }
  }

  __device__ void startTile(const KeyTile& tile, int t) {
    copyTile<Shape::kTileKeys, Shape::kHeadDim, Shape::kThreads, Gathers>(
        address + keysAt(t), keys, tile, positions(t), params.headDim);
    copyTile<Shape::kTileKeys, Shape::kHeadDim, Shape::kThreads, Gathers>(
        address + valuesAt(t), values, tile, positions(t), params.headDim);
  }

  // Whether some query of the thread block does not read some key of the tile. A column that only one half
  // reads is, with its bit, greater than every position.
  __device__ bool needsMask(const KeyTile& tile, int t) const {
    int last = tile.firstKey() + tile.count - 1;
    if (Gathers && tile.isColumns()) {
      last = positions(t)[tile.count - 1];
    }
    return tile.count < Shape::kTileKeys || last > firstPosition;
  }

  __device__ void addTile(const KeyTile& tile, int t, bool masked) {
    Scores scores;
    multiplyKeys(scores, t);
    if (masked) {
      mask(scores, tile, t);
    }
    Weights weights;
    weigh(scores, weights);
    if (masked) {
      const uint32_t* marked = marks().marks[t % NonFiniteKeys::kSlots];
      if ((marked[0] | marked[1]) != 0) {
        addNonFinite(weights, tile, t, marked);
      }
    }
    multiplyValues(weights, t);
  }

  // scores = Q K^T for this warp's rows.
  __device__ void multiplyKeys(Scores& scores, int t) {
#pragma unroll
    for (int i = 0; i < kRowTiles * 2 * kKeySteps * 4; i++) {
      (&scores[0][0][0])[i] = 0;
    }
#pragma unroll
    for (int dim = 0; dim < kDimSteps; dim++) {
      uint32_t q[kRowTiles][4];
#pragma unroll
      for (int tile = 0; tile < kRowTiles; tile++) {
        loadMatrices(q[tile], address + Rows::offset(firstRow + tile * 16 + Rows::laneRow(lane),
                                                     2 * dim + Rows::laneChunk(lane)));
      }
#pragma unroll
      for (int key = 0; key < kKeySteps; key++) {
        uint32_t k[4];
        loadMatrices(k, address + keysAt(t) +
                            Rows::offset(key * 16 + Rows::laneKey(lane),
                                         2 * dim + Rows::laneKeyChunk(lane)));
#pragma unroll
        for (int tile = 0; tile < kRowTiles; tile++) {
          multiplyAdd<Element>(scores[tile][2 * key], q[tile], k[0], k[1]);
          multiplyAdd<Element>(scores[tile][2 * key + 1], q[tile], k[2], k[3]);
        }
      }
    }
  }

  // Number among the tile's queries of this thread's row `half` (0 or 1) in row tile `tile`.
  __device__ int row(int tile, int half) const {
    return firstRow + tile * 16 + half * 8 + lane / 4;
  }

  // Whether the query in row `row` reads key number `key` of the tile.
  __device__ bool reads(int row, int key, const KeyTile& tile, int t) const {
    const bool column = Gathers && tile.isColumns();
    const int entry = column ? positions(t)[key] : tile.firstKey() + key;
    return key < tile.count && positionFor(firstRow / kHalfRows, entry) <= firstPosition + row;
  }

  __device__ void mask(Scores& scores, const KeyTile& tile, int t) const {
#pragma unroll
    for (int n = 0; n < 2 * kKeySteps; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const int key = n * 8 + lane % 4 * 2 + i % 2;
#pragma unroll
        for (int rowTile = 0; rowTile < kRowTiles; rowTile++) {
          if (!reads(row(rowTile, i / 2), key, tile, t)) {
            scores[rowTile][n][i] = -INFINITY;
          }
        }
      }
    }
  }

  // weights = 2^(scaled scores - greatest), rounded to the element type; rescales what was summed.
  __device__ void weigh(const Scores& scores, Weights& weights) {
    const float scaleLog2 = params.softmaxScale * kLog2E;
    float alpha[kRowTiles][2];
    bool changed = false;
#pragma unroll
    for (int tile = 0; tile < kRowTiles; tile++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float greatest = scores[tile][0][2 * half];
#pragma unroll
        for (int n = 0; n < 2 * kKeySteps; n++) {
          greatest = fmaxf(greatest, fmaxf(scores[tile][n][2 * half], scores[tile][n][2 * half + 1]));
        }
        // The four threads of a quad hold one row.
        greatest = fmaxf(greatest, __shfl_xor_sync(~0u, greatest, 1));
        greatest = fmaxf(greatest, __shfl_xor_sync(~0u, greatest, 2));
        alpha[tile][half] = softmax.raise(2 * tile + half, greatest, scaleLog2);
        changed |= alpha[tile][half] != 1;
#pragma unroll
        for (int n = 0; n < 2 * kKeySteps; n++) {
          const float low = softmax.weigh(2 * tile + half, scores[tile][n][2 * half], scaleLog2);
          const float high = softmax.weigh(2 * tile + half, scores[tile][n][2 * half + 1], scaleLog2);
          weights[tile][n / 2][n % 2 * 2 + half] = pack<Element>(low, high);
        }
      }
    }
    // After the first tiles the greatest scores seldom rise.
    if (__any_sync(~0u, changed)) {
      rescale(alpha);
    }
  }

  __device__ void rescale(const float (&alpha)[kRowTiles][2]) {
#pragma unroll
    for (int tile = 0; tile < kRowTiles; tile++) {
#pragma unroll
      for (int n = 0; n < 2 * kDimSteps; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          out[tile][n][i] *= alpha[tile][i / 2];
        }
      }
    }
  }

  // out += P V for this warp's rows.
  __device__ void multiplyValues(const Weights& weights, int t) {
#pragma unroll
    for (int key = 0; key < kKeySteps; key++) {
#pragma unroll
      for (int dim = 0; dim < kDimSteps; dim++) {
        uint32_t v[4];
        loadMatricesTransposed(v, address + valuesAt(t) +
                                      Rows::offset(key * 16 + Rows::laneRow(lane),
                                                   2 * dim + Rows::laneChunk(lane)));
#pragma unroll
        for (int tile = 0; tile < kRowTiles; tile++) {
          multiplyAdd<Element>(out[tile][2 * dim], weights[tile][key], v[0], v[1]);
          multiplyAdd<Element>(out[tile][2 * dim + 1], weights[tile][key], v[2], v[3]);
        }
      }
    }
  }

  // out += p v for the values that were taken out, for the queries that read their keys.
  __device__ void addNonFinite(const Weights& weights, const KeyTile& tile, int t,
                               const uint32_t* marked) {
#pragma unroll 1
    for (int key = 0; key < Shape::kTileKeys; key++) {
      if ((marked[key / 32] >> key % 32 & 1) == 0) {
        continue;
      }
      const bool column = Gathers && tile.isColumns();
      const int position = column ? positions(t)[key] & kKeyBits : tile.firstKey() + key;
      const Element* value = reinterpret_cast<const Element*>(values.row(position));
#pragma unroll
      for (int rowTile = 0; rowTile < kRowTiles; rowTile++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
          const float weight = weightOf(weights, rowTile, half, key);
          if (reads(row(rowTile, half), key, tile, t)) {
            addNonFiniteRow(out[rowTile], half, weight, value);
          }
        }
      }
    }
  }

  // The weight of a key, whose place in the registers is not known at compile time.
  __device__ float weightOf(const Weights& weights, int rowTile, int half, int key) const {
    uint32_t both = 0;
#pragma unroll
    for (int n = 0; n < 2 * kKeySteps; n++) {
      // A mask, not a choice: the compiler makes an array in memory of the latter.
      both |= weights[rowTile][n / 2][n % 2 * 2 + half] & (key / 8 == n ? ~0u : 0u);
    }
    both = __shfl_sync(~0u, both, (lane & ~3) | key % 8 / 2);
    const uint16_t bits = uint16_t(key % 2 == 0 ? both : both >> 16);
    Element weight;
    memcpy(&weight, &bits, sizeof weight);
    return toFloat(weight);
  }

  __device__ void addNonFiniteRow(float (&sums)[2 * kDimSteps][4], int half, float weight,
                                  const Element* value) const {
#pragma unroll
    for (int n = 0; n < 2 * kDimSteps; n++) {
#pragma unroll
      for (int i = 0; i < 2; i++) {
        const int dim = n * 8 + lane % 4 * 2 + i;
        const float number = dim < params.headDim ? toFloat(value[dim]) : 0.f;
        if (!isfinite(number)) {
          sums[n][2 * half + i] += weight * number;
        }
      }
    }
  }
};

}  // namespace heddle
