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
//
// A warpgroup's queries are half of an index row's. Of a tile of keys of which they read one part only, it
// multiplies that part alone; of a part that none of its queries reads the mask takes everything out, but the
// index pairs the parts so that there are few.
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
  static constexpr int kPartSteps = Shape::kPartKeys / 16;
  // Only the keys that an index lists may be read by one half of its row's queries.
  static constexpr bool kTakesParts = Gathers && Shape::kParts == 2;

  const AttentionParams& params;
  const HopperMemory<Shape> shared;
  const int group;
  const int lane;
  const int row;  // of the query tile: this thread's first; its second is row + 8
  Ring<Shape::kKeyStages> keyRing;
  Ring<Shape::kValueStages> valueRing;
  Ring<2> workRing;
  uint32_t parities = 0;  // bit s: parity with which columns of K arrive in stage s next; 16 + s: of V
  bool gathered = false;       // whether the tile whose keys were waited for last has columns
  int part = kBothParts;       // of that tile, what this warpgroup reads (shareOf)
  int next = kBothParts;       // of the one that follows
  bool nextIsWhole = true;
  int firstPosition = 0;

  float out[Shape::kHeadDim / 2];
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
    waitAt(shared.queriesFull(queryStage()), Shape::kQueryStages == 2 ? workRing.parity() : workRing.stage());
    if (work.tiles <= 0) {
      return;
    }
    setNext(work.shares);
    bool whole = nextIsWhole;
    part = next;
    waitForKeys();
    if (whole) {
      begin<Shape::kParts>();
    } else {
      begin<1>();
    }
    // Tiles of the same kind mostly follow one another: a loop for each kind.
    for (int left = work.tiles - 1; left > 0;) {
      if (whole) {
        for (; left > 0 && nextIsWhole; left--) {
          step<Shape::kParts, Shape::kParts>();
        }
        if (left > 0) {
          step<1, Shape::kParts>();
          whole = false;
          left--;
        }
      } else {
        for (; left > 0 && !nextIsWhole; left--) {
          step<1, 1>();
        }
        if (left > 0) {
          step<Shape::kParts, 1>();
          whole = true;
          left--;
        }
      }
    }
    if (whole) {
      finish<Shape::kParts>();
    } else {
      finish<1>();
    }
  }

  // The next query tile; there are no more if it has negative many tiles of keys. Good until endWork.
  __device__ const HopperWork& work() const {
    waitAt(shared.workFull(workRing.stage()), workRing.parity());
    return *shared.work(workRing.stage());
  }

  // Lets the producer overwrite this query tile's Q and what it said of it.
  __device__ void endWork() {
    fenceForAsync();
    arriveAt(shared.queriesFree(queryStage()));
    arriveAt(shared.workFree(workRing.stage()));
    workRing.advance();
  }

  // The stage of this query tile's Q, which goes the way of what is said of it.
  __device__ int queryStage() const { return Shape::kQueryStages == 2 ? workRing.stage() : 0; }

  // Waits for the whole warpgroup.
  __device__ void syncGroup() const { syncThreads(kGroupBarrier + group, kGroupThreads); }

  // Called in the end: each turn that was given must be taken.
  __device__ void end() const {
    if (group == 0) {
      syncThreads(kTurnBarrier, 2 * kGroupThreads);
    }
  }

 private:
  // All threads know; the vote tells the compiler, which has products wait for one another where threads could
  // diverge.
  __device__ void setNext(int shares) {
    if constexpr (kTakesParts) {
      next = shareOf(shares, group);
      nextIsWhole = __any_sync(~0u, next == kBothParts);
    }
  }

  // The weights of the first tile.
  template <int Parts>
  __device__ void begin() {
    float scores[Parts * Shape::kPartKeys / 2];
    float alpha[2];
    multiplyKeys(scores);
    commitProducts();
    setNext(shared.tile(keyRing.stage())->nextShares);
    waitForProducts<0>();
    weigh(scores, alpha);
    pack(scores);
  }

  // The weights of the next tile, and O with those of the tile before, of which so many parts are read.
  template <int Parts, int Before>
  __device__ void step() {
    float scores[Parts * Shape::kPartKeys / 2];
    float alpha[2];
    // Both before any product starts: what orders gathered rows before products would wait for those.
    waitForValues(gathered);
    const int before = part;
    part = next;
    waitForKeys();
    syncThreads(kTurnBarrier + group, 2 * kGroupThreads);
    multiplyKeys(scores);
    commitProducts();
    multiplyValues<Before>(before);
    commitProducts();
    arriveThreads(kTurnBarrier + (group ^ 1), 2 * kGroupThreads);
    setNext(shared.tile(keyRing.stage())->nextShares);
    waitForProducts<1>();
    weigh(scores, alpha);
    holdBack();
    waitForProducts<0>();
    freeValues();
    rescale(alpha);
    pack(scores);
  }

  // Never sleeps, but depends on all weights: the compiler would wait for O before it computes them, and they would
  // no longer run beside its products.
  __device__ void holdBack() const {
    if (softmax.sum[0] + softmax.sum[1] < 0) {
      asm volatile("nanosleep.u32 1;" ::: "memory");
    }
  }

  // O with the weights of the last tile.
  template <int Parts>
  __device__ void finish() {
    waitForValues(gathered);
    multiplyValues<Parts>(part);
    commitProducts();
    waitForProducts<0>();
    pin(out);
    freeValues();
  }

  __device__ void waitForKeys() {
    waitAt(shared.keysFull(keyRing.stage()), keyRing.parity());
    if constexpr (Gathers) {
      gathered = false;
#pragma unroll
      for (int i = 0; i < Shape::kParts; i++) {
        gathered |= shared.tile(keyRing.stage())->parts[i].isColumns();
      }
      if (gathered) {
        waitAt(shared.keysGathered(keyRing.stage()), parities >> keyRing.stage() & 1);
        parities ^= 1u << keyRing.stage();
        fenceForAsync();
      }
    }
  }

  __device__ void waitForValues(bool valuesGathered) {
    waitAt(shared.valuesFull(valueRing.stage()), valueRing.parity());
    if (Gathers && valuesGathered) {
      waitAt(shared.valuesGathered(valueRing.stage()), parities >> (16 + valueRing.stage()) & 1);
      parities ^= 0x10000u << valueRing.stage();
      fenceForAsync();
    }
  }

  __device__ void freeKeys() {
    arriveAt(shared.keysFree(keyRing.stage()));
    keyRing.advance();
  }

  __device__ void freeValues() {
    arriveAt(shared.valuesFree(valueRing.stage()));
    valueRing.advance();
  }

  // Starts scores = Q K^T, for all parts or for the one that is read.
  template <int Count>
  __device__ void multiplyKeys(float (&scores)[Count]) {
    const SharedOperand q(shared.queries(queryStage()) + group * kHalfRows * kPanelRowBytes,
                          Shape::kQueryPanelBytes);
    const SharedOperand k(shared.keys(keyRing.stage()) + firstRow<Count>() * kPanelRowBytes,
                          Shape::kKeyPanelBytes);
    pin(scores);
    beginProducts();
#pragma unroll
    for (int step = 0; step < kDimSteps; step++) {
      // 16 dims are 32 bytes of a panel's rows.
      const int panel = step / 4;
      const int inPanel = step % 4 * 32;
      GroupProduct<Element, 2 * Count>::fromShared(scores, q.at(panel * Shape::kQueryPanelBytes + inPanel),
                                                   k.at(panel * Shape::kKeyPanelBytes + inPanel), step > 0);
    }
  }

  // Where the keys of `Count` scores start in their tile.
  template <int Count>
  __device__ int firstRow() const {
    return kTakesParts && Count == Shape::kPartKeys / 2 ? part * Shape::kPartKeys : 0;
  }

  // Starts out += P V, where the weights are those of all parts or of part `which`.
  template <int Parts>
  __device__ void multiplyValues(int which) {
    const uint32_t row = Parts == Shape::kParts ? 0 : which * Shape::kPartKeys;
    const SharedOperand v(shared.values(valueRing.stage()) + row * kPanelRowBytes, Shape::kKeyPanelBytes);
    pin(out);
    beginProducts();
#pragma unroll
    for (int step = 0; step < Parts * kPartSteps; step++) {
      GroupProduct<Element, Shape::kHeadDim>::fromRegisters(
          out, weights + 4 * step, v.at(step * 16 * kPanelRowBytes));
    }
  }

  // scores become weights = 2^(scaled scores - greatest); `alpha` is what earlier sums shrink by. Frees
  // the keys.
  template <int Count>
  __device__ void weigh(float (&scores)[Count], float (&alpha)[2]) {
    pin(scores);
    maskTile(scores);
    freeKeys();
    const float scaleLog2 = params.softmaxScale * kLog2E;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float greatest = scores[2 * half];
#pragma unroll
      for (int n = 0; n < Count / 4; n++) {
        greatest = fmaxf(greatest, fmaxf(scores[4 * n + 2 * half], scores[4 * n + 2 * half + 1]));
      }
      // The four threads of a quad hold one row.
      greatest = fmaxf(greatest, __shfl_xor_sync(~0u, greatest, 1));
      greatest = fmaxf(greatest, __shfl_xor_sync(~0u, greatest, 2));
      alpha[half] = softmax.raise(half, greatest, scaleLog2);
#pragma unroll
      for (int n = 0; n < Count / 4; n++) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
          float& score = scores[4 * n + 2 * half + i];
          score = softmax.weigh(half, score, scaleLog2);
        }
      }
    }
  }

  template <int Count>
  __device__ void maskTile(float (&scores)[Count]) {
    const int firstRow = this->firstRow<Count>();
#pragma unroll
    for (int place = 0; place < 2 * Count; place += Shape::kPartKeys) {
      const int inTile = firstRow + place;
      KeyTile tile = shared.tile(keyRing.stage())->parts[inTile / Shape::kPartKeys];
      const int32_t* columns = shared.columns(keyRing.stage()) + inTile;
      const bool isColumns = Gathers && tile.isColumns();
      if (Gathers && Count == Shape::kPartKeys / 2 && !tile.isReadBy(group)) {
        tile.count = 0;
      }
      if (tile.count == Shape::kPartKeys) {
        const int last =
            isColumns ? columns[Shape::kPartKeys - 1] : tile.firstKey() + Shape::kPartKeys - 1;
        if (last <= firstPosition) {
          continue;
        }
      }
      mask(scores, place / 2, tile, columns);
    }
  }

  // Takes out the scores, from number `at` on, of keys that are not there or lie after their query.
  template <int Count>
  __device__ void mask(float (&scores)[Count], int at, const KeyTile& tile, const int32_t* columns) {
    const bool isColumns = Gathers && tile.isColumns();
    // Everything from this thread's first key on, so that the keys' numbers are constants and take no registers.
    const int own = lane % 4 * 2;
    const int count = tile.count - own;
    const int firstKey = tile.firstKey() + own;
#pragma unroll
    for (int n = 0; n < Shape::kPartKeys / 8; n++) {
#pragma unroll
      for (int i = 0; i < 2; i++) {
        const int key = n * 8 + i;
        const int position = isColumns ? positionFor(group, columns[own + key]) : firstKey + key;
        float& first = scores[at + 4 * n + i];
        float& second = scores[at + 4 * n + 2 + i];
        const bool isThere = key < count;
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
  template <int Count>
  __device__ void pack(const float (&scores)[Count]) {
#pragma unroll
    for (int i = 0; i < Count / 2; i++) {
      weights[i] = heddle::pack<Element>(scores[2 * i], scores[2 * i + 1]);
    }
  }
};

}  // namespace heddle

#endif
