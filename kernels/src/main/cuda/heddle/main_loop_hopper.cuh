// Attention of 128 queries of 16-bit numbers on the tensor cores of compute capability 9.0.
//
// The same equations as in main_loop_mma.cuh. A thread block stays on its multiprocessor and takes query
// tiles until there are none. Its first warpgroup brings in Q and tiles of K and V (hopper_producer.cuh);
// the other two compute 64 rows each, a row in the registers of four neighbouring threads:
//
//     S(t + 1) = Q K(t + 1)^T      started, then
//     O += P(t) V(t)               started, then
//     P(t + 1) = softmax weights of S(t + 1), as soon as that is there: the tensor cores work on O
//     O = alpha O                  as soon as O is there
//
// and while one warpgroup is at its weights, the other one's products have the tensor cores to themselves:
// each lets the other one start its products when its own have been started.
#pragma once

#include "heddle/hopper_shape.cuh"
#include "heddle/online_softmax.cuh"

#ifdef HEDDLE_HOPPER

namespace heddle {

template <class Shape, bool Gathers>
struct HopperConsumer {
  using Element = typename Shape::Element;
  static constexpr int kTurnBarrier = 1;   // and 2: products of warpgroup 0, 1
  static constexpr int kGroupBarrier = 3;  // and 4: threads of warpgroup 0, 1
  static constexpr int kGroupThreads = 128;
  static constexpr int kDimSteps = Shape::kHeadDim / 16;
  static constexpr int kKeySteps = Shape::kTileKeys / 16;

  const AttentionParams& params;
  const HopperMemory<Shape> shared;
  const int group;
  const int lane;
  const int row;  // of the query tile: this thread's first; its second is row + 8
  Ring<Shape::kKeyStages> keyRing;
  Ring<Shape::kValueStages> valueRing;
  Ring<Shape::kQueryStages> queryRing;
  uint32_t keyParities = 0;    // bit s: parity with which columns arrive in stage s next
  uint32_t valueParities = 0;  // likewise
  bool gathered = false;       // whether the tile whose keys were waited for last has columns
  int firstPosition = 0;

  float out[Shape::kHeadDim / 2];
  float scores[Shape::kTileKeys / 2];
  uint32_t weights[Shape::kTileKeys / 4];
  OnlineSoftmax<2, Exp2> softmax;

  __device__ HopperConsumer(const AttentionParams& parameters, const HopperMemory<Shape>& memory)
      : params(parameters),
        shared(memory),
        group(threadIdx.x / kGroupThreads - 1),
        lane(threadIdx.x % 32),
        row(group * 64 + threadIdx.x % kGroupThreads / 32 * 16 + lane / 4) {
    if (group == 1) {
      arriveThreads(kTurnBarrier, 2 * kGroupThreads);  // warpgroup 0 begins
    }
  }

  // Computes a query tile; O and the softmax's sums are this thread's part of the result.
  __device__ void compute(const HopperWork& work) {
    firstPosition = work.firstPosition;
    softmax = OnlineSoftmax<2, Exp2>();
#pragma unroll
    for (float& number : out) {
      number = 0;
    }
    waitAt(shared.queriesFull(queryRing.stage), queryRing.parity);
    if (work.tiles <= 0) {
      return;
    }
    waitForKeys();
    multiplyKeys();
    commitProducts();
    waitForProducts<0>();
    float alpha[2];
    weigh(alpha);
    pack();
    for (int t = 1; t < work.tiles; t++) {
      // Both before any product starts: what orders gathered rows before products would wait for those.
      waitForValues(gathered);
      waitForKeys();
      syncThreads(kTurnBarrier + group, 2 * kGroupThreads);
      multiplyKeys();
      commitProducts();
      multiplyValues();
      commitProducts();
      arriveThreads(kTurnBarrier + (group ^ 1), 2 * kGroupThreads);
      waitForProducts<1>();
      weigh(alpha);
      waitForProducts<0>();
      freeValues();
      rescale(alpha);
      pack();
    }
    waitForValues(gathered);
    multiplyValues();
    commitProducts();
    waitForProducts<0>();
    pin(out);
    freeValues();
  }

  // Lets the producer overwrite this query tile's Q.
  __device__ void freeQueries() {
    fenceForAsync();
    arriveAt(shared.queriesFree(queryRing.stage));
    queryRing.advance();
  }

  // Waits for the whole warpgroup.
  __device__ void syncGroup() const { syncThreads(kGroupBarrier + group, kGroupThreads); }

  // Called in the end: each turn that was given must be taken.
  __device__ void end() const {
    if (group == 0) {
      syncThreads(kTurnBarrier, 2 * kGroupThreads);
    }
  }

 private:
  __device__ void waitForKeys() {
    waitAt(shared.keysFull(keyRing.stage), keyRing.parity);
    if constexpr (Gathers) {
      gathered = false;
#pragma unroll
      for (int i = 0; i < Shape::kParts; i++) {
        gathered |= shared.parts(keyRing.stage)[i].isColumns();
      }
      if (gathered) {
        waitAt(shared.keysGathered(keyRing.stage), keyParities >> keyRing.stage & 1);
        keyParities ^= 1u << keyRing.stage;
        fenceForAsync();
      }
    }
  }

  __device__ void waitForValues(bool valuesGathered) {
    waitAt(shared.valuesFull(valueRing.stage), valueRing.parity);
    if (Gathers && valuesGathered) {
      waitAt(shared.valuesGathered(valueRing.stage), valueParities >> valueRing.stage & 1);
      valueParities ^= 1u << valueRing.stage;
      fenceForAsync();
    }
  }

  __device__ void freeKeys() {
    arriveAt(shared.keysFree(keyRing.stage));
    keyRing.advance();
  }

  __device__ void freeValues() {
    arriveAt(shared.valuesFree(valueRing.stage));
    valueRing.advance();
  }

  // Starts scores = Q K^T.
  __device__ void multiplyKeys() {
    const uint64_t q = describe(
        shared.queries(queryRing.stage) + group * 64 * kPanelRowBytes, Shape::kQueryPanelBytes);
    const uint64_t k = describe(shared.keys(keyRing.stage), Shape::kKeyPanelBytes);
    pin(scores);
    beginProducts();
#pragma unroll
    for (int step = 0; step < kDimSteps; step++) {
      // 16 dims are 32 bytes of a panel's rows; addresses count 16 bytes.
      const int panel = step / 4;
      const int inPanel = step % 4 * 2;
      GroupProduct<Element, Shape::kTileKeys>::fromShared(
          scores, q + (panel * Shape::kQueryPanelBytes >> 4) + inPanel,
          k + (panel * Shape::kKeyPanelBytes >> 4) + inPanel, step > 0);
    }
  }

  // Starts out += P V.
  __device__ void multiplyValues() {
    const uint64_t v = describe(shared.values(valueRing.stage), Shape::kKeyPanelBytes);
    pin(out);
    beginProducts();
#pragma unroll
    for (int step = 0; step < kKeySteps; step++) {
      GroupProduct<Element, Shape::kHeadDim>::fromRegisters(
          out, weights + 4 * step, v + (step * 16 * kPanelRowBytes >> 4));
    }
  }

  // scores become weights = 2^(scaled scores - greatest); `alpha` is what earlier sums shrink by. Frees
  // the keys.
  __device__ void weigh(float (&alpha)[2]) {
    pin(scores);
    maskTile();
    freeKeys();
    const float scaleLog2 = params.softmaxScale * kLog2E;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float greatest = scores[2 * half];
#pragma unroll
      for (int n = 0; n < Shape::kTileKeys / 8; n++) {
        greatest = fmaxf(greatest, fmaxf(scores[4 * n + 2 * half], scores[4 * n + 2 * half + 1]));
      }
      // The four threads of a quad hold one row.
      greatest = fmaxf(greatest, __shfl_xor_sync(~0u, greatest, 1));
      greatest = fmaxf(greatest, __shfl_xor_sync(~0u, greatest, 2));
      alpha[half] = softmax.raise(half, greatest, scaleLog2);
#pragma unroll
      for (int n = 0; n < Shape::kTileKeys / 8; n++) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
          float& score = scores[4 * n + 2 * half + i];
          score = softmax.weigh(half, score, scaleLog2);
        }
      }
    }
  }

  __device__ void maskTile() {
#pragma unroll
    for (int part = 0; part < Shape::kParts; part++) {
      const KeyTile tile = shared.parts(keyRing.stage)[part];
      const int32_t* columns = shared.columns(keyRing.stage) + part * Shape::kPartKeys;
      const bool isColumns = Gathers && tile.isColumns();
      if (tile.count == Shape::kPartKeys) {
        const int last = isColumns ? columns[Shape::kPartKeys - 1] : tile.first + Shape::kPartKeys - 1;
        if (last <= firstPosition) {
          continue;
        }
      }
      mask(part, tile, columns);
    }
  }

  // Takes out the scores of keys that are not there or lie after their query.
  __device__ void mask(int part, const KeyTile& tile, const int32_t* columns) {
    const bool isColumns = Gathers && tile.isColumns();
#pragma unroll
    for (int n = 0; n < Shape::kPartKeys / 8; n++) {
#pragma unroll
      for (int i = 0; i < 2; i++) {
        const int key = n * 8 + lane % 4 * 2 + i;
        const int position = isColumns ? columns[key] : tile.first + key;
        float& first = scores[part * Shape::kPartKeys / 2 + 4 * n + i];
        float& second = scores[part * Shape::kPartKeys / 2 + 4 * n + 2 + i];
        const bool isThere = key < tile.count;
        first = isThere && position <= firstPosition + row ? first : -INFINITY;
        second = isThere && position <= firstPosition + row + 8 ? second : -INFINITY;
      }
    }
  }

  __device__ void rescale(const float (&alpha)[2]) {
    pin(out);
#pragma unroll
    for (int i = 0; i < Shape::kHeadDim / 2; i++) {
      out[i] *= alpha[i / 2 % 2];
    }
  }

  // Rounds the weights to the element type. A product's rows of weights are laid out as its scores were.
  __device__ void pack() {
#pragma unroll
    for (int i = 0; i < Shape::kTileKeys / 4; i++) {
      weights[i] = heddle::pack<Element>(scores[2 * i], scores[2 * i + 1]);
    }
  }
};

}  // namespace heddle

#endif
