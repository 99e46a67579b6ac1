// Sizes and shared memory of the main loop for compute capability 9.0 (main_loop_hopper.cuh).
#pragma once

#include "heddle/hopper_instructions.cuh"
#include "heddle/keys.cuh"

namespace heddle {

// What the producer tells the consumers of a query tile.
struct HopperWork {
  int tiles;  // of keys; negative when there is no more work
  int firstPosition;
  int queries;
  int queryHead;
  int firstRow;  // of Q and out
  int number;    // of the query tile over all sequences
  int shares;    // of the first tile of keys
};

// What the producer tells the consumers of a tile of keys.
struct HopperTile {
  KeyTile parts[2];
  int nextShares;  // of the tile of keys that follows
  int unused[3];
};
static_assert(sizeof(HopperTile) == 32);

// Of a tile of two parts, which a warpgroup reads, in two bits; its shares are those of both warpgroups.
constexpr int kBothParts = 2;  // otherwise the number of the one that is read; part 0 if none is
__device__ inline int shareOf(int shares, int group) { return shares >> 2 * group & 3; }

template <class ElementType, int HeadDimension>
struct HopperShape {
  using Element = ElementType;
  static constexpr int kHeadDim = HeadDimension;
  static constexpr int kTileRows = 128;
  using Queries = QueryTile<kTileRows, kHeadDim * 2>;

  // One warpgroup brings tiles in, two compute 64 rows each.
  static constexpr int kThreads = 384;
  static constexpr int kProducerRegisters = kHeadDim > 128 ? 72 : 88;
  static constexpr int kConsumerRegisters = kHeadDim > 128 ? 216 : 208;
  // A thread block starts with 168 registers a thread: who asks for more than all of them waits for ever.
  static_assert(kProducerRegisters + 2 * kConsumerRegisters <= 3 * 168);

  // A tile of keys is made of parts of 64: blocks, or columns, in any mixture.
  static constexpr int kPartKeys = 64;
  static constexpr int kParts = kHeadDim > 128 ? 1 : 2;
  static constexpr int kTileKeys = kParts * kPartKeys;
  // A stage of V is free later than one of K, since O += P V follows S = Q K^T by a tile: with two each,
  // there is little more than half a tile's time to bring V in.
  static constexpr int kKeyStages = kHeadDim > 64 ? 2 : 4;
  static constexpr int kValueStages = kHeadDim > 128 ? 2 : kHeadDim > 64 ? 3 : 4;
  static constexpr int kQueryStages = kHeadDim > 128 ? 1 : 2;

  static constexpr int kPanels = (kHeadDim + kPanelDims - 1) / kPanelDims;
  static constexpr int kQueryPanelBytes = kTileRows * kPanelRowBytes;
  static constexpr int kQueryBytes = kPanels * kQueryPanelBytes;
  static constexpr int kKeyPanelBytes = kTileKeys * kPanelRowBytes;
  static constexpr int kKeyBytes = kPanels * kKeyPanelBytes;
  static constexpr int kPartBytes = kPanels * kPartKeys * kPanelRowBytes;

  // Behind the tiles: what each tile of keys is, its columns, the work, and the barriers.
  static constexpr int kKeysAt = kQueryStages * kQueryBytes;
  static constexpr int kValuesAt = kKeysAt + kKeyStages * kKeyBytes;
  static constexpr int kPartsAt = kValuesAt + kValueStages * kKeyBytes;
  static constexpr int kColumnsAt = kPartsAt + kKeyStages * int(sizeof(HopperTile));
  static constexpr int kWorkAt = kColumnsAt + kKeyStages * kTileKeys * 4;
  static constexpr int kNumbersAt = kWorkAt + 2 * 32;
  static constexpr int kBarriersAt = kNumbersAt + 8;
  static constexpr int kBarriers = 3 * kKeyStages + 3 * kValueStages + 2 * kQueryStages + 4;
  // 1024 more, because the tiles must begin at a multiple of that.
  static constexpr int kSharedBytes = kBarriersAt + 8 * kBarriers + 1024;
  static_assert(kSharedBytes <= 227 * 1024);
};

// AttentionLaunch has the same table.
static_assert(HopperShape<Half, 64>::kSharedBytes == 167368);
static_assert(HopperShape<Half, 96>::kSharedBytes == 231744);
static_assert(HopperShape<Half, 128>::kSharedBytes == 231744);
static_assert(HopperShape<Half, 256>::kSharedBytes == 198424);

// Shared memory, by name.
template <class Shape>
struct HopperMemory {
  unsigned char* memory;
  uint32_t address;

  __device__ explicit HopperMemory(unsigned char* shared) {
    const uint32_t first = sharedAddress(shared);
    address = (first + 1023) & ~1023u;
    memory = shared + (address - first);
  }

  __device__ int queriesAt(int stage) const { return stage * Shape::kQueryBytes; }
  __device__ uint32_t queries(int stage) const { return address + queriesAt(stage); }
  __device__ uint32_t keys(int stage) const {
    return address + Shape::kKeysAt + stage * Shape::kKeyBytes;
  }
  __device__ uint32_t values(int stage) const {
    return address + Shape::kValuesAt + stage * Shape::kKeyBytes;
  }

  __device__ HopperTile* tile(int stage) const {
    return reinterpret_cast<HopperTile*>(memory + Shape::kPartsAt) + stage;
  }

  __device__ int32_t* columns(int stage) const {
    return reinterpret_cast<int32_t*>(memory + Shape::kColumnsAt) + stage * Shape::kTileKeys;
  }

  __device__ HopperWork* work(int stage) const {
    return reinterpret_cast<HopperWork*>(memory + Shape::kWorkAt + stage * 32);
  }

  // What the producer's threads tell each other.
  __device__ volatile int* numbers() const {
    return reinterpret_cast<int*>(memory + Shape::kNumbersAt);
  }

  // "Full": copies by tensor map are there. "Gathered": columns are there too. "Free": consumers are done,
  // each of whose threads arrives for itself: that costs no time, and racecheck can follow it.
  __device__ uint32_t keysFull(int stage) const { return barrier(stage); }
  __device__ uint32_t keysFree(int stage) const { return barrier(kK + stage); }
  __device__ uint32_t keysGathered(int stage) const { return barrier(2 * kK + stage); }
  __device__ uint32_t valuesFull(int stage) const { return barrier(3 * kK + stage); }
  __device__ uint32_t valuesFree(int stage) const { return barrier(3 * kK + kV + stage); }
  __device__ uint32_t valuesGathered(int stage) const { return barrier(3 * kK + 2 * kV + stage); }
  __device__ uint32_t workFull(int stage) const { return barrier(kOthers + stage); }
  __device__ uint32_t workFree(int stage) const { return barrier(kOthers + 2 + stage); }
  __device__ uint32_t queriesFull(int stage) const { return barrier(kOthers + 4 + stage); }
  __device__ uint32_t queriesFree(int stage) const {
    return barrier(kOthers + 4 + Shape::kQueryStages + stage);
  }

 private:
  static constexpr int kK = Shape::kKeyStages;
  static constexpr int kV = Shape::kValueStages;
  static constexpr int kOthers = 3 * kK + 3 * kV;

  __device__ uint32_t barrier(int number) const { return address + Shape::kBarriersAt + 8 * number; }
};

#ifdef HEDDLE_HOPPER

constexpr int kConsumerThreads = 256;
constexpr int kProducerThreads = 128;

// One thread calls it; a barrier of the thread block must follow.
template <class Shape>
__device__ inline void makeBarriers(const HopperMemory<Shape>& shared) {
  for (int stage = 0; stage < Shape::kKeyStages; stage++) {
    makeBarrier(shared.keysFull(stage), 1);
    makeBarrier(shared.keysFree(stage), kConsumerThreads);
    makeBarrier(shared.keysGathered(stage), kProducerThreads);
  }
  for (int stage = 0; stage < Shape::kValueStages; stage++) {
    makeBarrier(shared.valuesFull(stage), 1);
    makeBarrier(shared.valuesFree(stage), kConsumerThreads);
    makeBarrier(shared.valuesGathered(stage), kProducerThreads);
  }
  for (int stage = 0; stage < 2; stage++) {
    makeBarrier(shared.workFull(stage), 1);
    makeBarrier(shared.workFree(stage), kConsumerThreads);
  }
  for (int stage = 0; stage < Shape::kQueryStages; stage++) {
    makeBarrier(shared.queriesFull(stage), 1);
    makeBarrier(shared.queriesFree(stage), kConsumerThreads);
  }
  fenceNewBarriers();
}

// Where a ring of `Stages` stages stands: the stage, and the parity of its present phase, in one register.
template <int Stages>
struct Ring {
  uint32_t place = 0;  // twice the stage, and the parity

  __device__ int stage() const { return int(place >> 1); }
  __device__ uint32_t parity() const { return place & 1; }

  __device__ void advance() { place = Stages == 1 || place >= 2 * (Stages - 1) ? (place & 1) ^ 1 : place + 2; }
};

#endif

}  // namespace heddle
