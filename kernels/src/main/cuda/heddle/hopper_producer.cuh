// The producer of the main loop for compute capability 9.0: one warpgroup that takes query tiles from a
// counter in device memory, and brings Q and the tiles of K and V that they read to shared memory, as far
// ahead as there are free stages.
//
// Parts of a query tile's keys are taken from the last to the first: columns, then the diagonal, then what
// lies before it. So those that need a mask come first, and where there is no part to fill a tile with, the
// one that fills it is masked too: any block of keys, of which none is read.
//
// Blocks are copied by tensor map, by one thread. Columns are copied row by row, by all 128.
#pragma once

#include "heddle/hopper_shape.cuh"
#include "heddle/shared_rows.cuh"

#ifdef HEDDLE_HOPPER

namespace heddle {

template <class Shape, class Policy>
struct HopperProducer {
  using Element = typename Shape::Element;
  using Queries = typename Shape::Queries;
  static constexpr int kParts = Shape::kParts;
  static constexpr int kOwnBarrier = 7;

  const AttentionParams& params;
  const HopperMemory<Shape> shared;
  const int perSequence;
  const int total;
  Ring<Shape::kKeyStages> keyRing;
  Ring<Shape::kValueStages> valueRing;
  Ring<Shape::kQueryStages> queryRing;
  Ring<2> workRing;

  __device__ HopperProducer(const AttentionParams& parameters, const HopperMemory<Shape>& memory)
      : params(parameters),
        shared(memory),
        perSequence(parameters.headSlots * parameters.mostQueryBlocks),
        total(perSequence * parameters.sequenceCount) {}

  __device__ void run() {
    findPlaces();
    int number = broadcast(takeNumber(), 1);
    for (int slot = 0; number < total; slot ^= 1) {
      // Taken early: its answer is needed only when this query tile is done.
      const int next = takeNumber();
      const Queries queries = queriesOf(number);
      if (queries.queries > 0) {
        bring(queries, number, next);
      }
      number = broadcast(next, slot);
    }
    if (threadIdx.x == 0) {
      announce({-1, 0, 0, 0, 0, 0, 0});
    }
  }

 private:
  // Where the keys of a query tile are.
  struct Item {
    int firstKey;  // of the sequence
    int keyValueHead;
    Policy policy;
    HeadRows keys;  // from this thread's chunk of a row on
    HeadRows values;
  };

  // This thread's share of the rows of a part of columns: one chunk of kOwnRows rows.
  static constexpr int kChunks = Shape::kHeadDim / 8;
  static constexpr int kLanes = kChunks <= 8 ? 8 : kChunks <= 16 ? 16 : 32;
  static constexpr int kOwnRows = Shape::kPartKeys * kLanes / kProducerThreads;
  static constexpr int kSwizzledRows = kOwnRows < 8 ? kOwnRows : 8;  // then places repeat
  using Positions = int[kParts][kOwnRows];

  // Where this thread's chunk of its first rows stands in a tile. Own rows start at a multiple of 4: the
  // number of a row in its eight is that of the first or its own.
  uint32_t ownPlaces[kSwizzledRows];

  __device__ void findPlaces() {
#pragma unroll
    for (int row = 0; row < kSwizzledRows; row++) {
      ownPlaces[row] = ownChunk() / 8 * Shape::kKeyPanelBytes + (firstOwnRow() + row) * kPanelRowBytes +
                       (((ownChunk() ^ firstOwnRow() ^ row) & 7) << 4);
    }
  }

  __device__ static int ownChunk() { return threadIdx.x % kLanes; }
  __device__ static int firstOwnRow() { return threadIdx.x / kLanes * kOwnRows; }

  // The number of a query tile, in thread 0. The counter wraps to 0 once every thread block has taken a
  // number that is too great, which is the last that it takes.
  __device__ int takeNumber() const {
    return threadIdx.x == 0 ? int(atomicInc(&params.hopper->nextTile, total + gridDim.x - 1)) : 0;
  }

  // Thread 0's number, in every thread. `slot` alternates.
  __device__ int broadcast(int number, int slot) const {
    if (threadIdx.x == 0) {
      shared.numbers()[slot] = number;
    }
    syncThreads(kOwnBarrier, kProducerThreads);
    return shared.numbers()[slot];
  }

  // Thread 0 calls it.
  __device__ void announce(const HopperWork& work) {
    waitAt(shared.workFree(workRing.stage()), workRing.parity() ^ 1);
    *shared.work(workRing.stage()) = work;
    arriveAt(shared.workFull(workRing.stage()));
    workRing.advance();
  }

  __device__ Queries queriesOf(int number) const {
    return Queries(params, {number / perSequence, number % perSequence, params.headSlots,
                            params.mostQueryBlocks});
  }

  // `next` is the number that follows, in thread 0.
  __device__ void bring(const Queries& queries, int number, int next) {
    const Item item = {queries.sequence.firstKey, queries.keyValueHead, Policy(params, queries),
                       ownRows(params.keys, queries, params.keyHeadStride, params.keyTokenStride),
                       ownRows(params.values, queries, params.valueHeadStride, params.valueTokenStride)};
    const int parts = item.policy.tiles();
    const int tiles = (parts + kParts - 1) / kParts;
    KeyTile following[kParts] = {};
    if (tiles > 0) {
      readParts(item.policy, parts, 0, following);
    }
    if (threadIdx.x == 0) {
      const HopperWork work = {tiles,
                               queries.firstPosition,
                               queries.queries,
                               queries.queryHead,
                               queries.sequence.firstQuery + queries.firstQuery,
                               number,
                               sharesOf(following, queries.firstPosition)};
      announce(work);
      bringQueries(work);
    }
    for (int t = 0; t < tiles; t++) {
      KeyTile tile[kParts];
#pragma unroll
      for (int i = 0; i < kParts; i++) {
        tile[i] = following[i];
      }
      if (t + 1 < tiles) {
        readParts(item.policy, parts, t + 1, following);
      }
      bringTile(item, tile, sharesOf(following, queries.firstPosition));
      if (Policy::kGathers && t == 1 && threadIdx.x == 0 && next < total) {
        const int64_t row = queriesOf(next).indexRow;
        touch(params.blockOffsets + row);
        touch(params.columnOffsets + row);
      }
    }
  }

  // Which parts each warpgroup reads: not those of the other half of an index row's queries only, nor those behind
  // its last query.
  __device__ static int sharesOf(const KeyTile (&tile)[kParts], int firstPosition) {
    int shares = 0;
    if constexpr (Policy::kGathers && kParts == 2) {
#pragma unroll
      for (int group = 0; group < 2; group++) {
        bool reads[2];
#pragma unroll
        for (int i = 0; i < 2; i++) {
          reads[i] = tile[i].count > 0 && tile[i].isReadBy(group) &&
                     (tile[i].isColumns() || tile[i].firstKey() < firstPosition + (group + 1) * kHalfRows);
        }
        shares |= (reads[0] && reads[1] ? kBothParts : reads[1] ? 1 : 0) << 2 * group;
      }
    }
    return shares;
  }

  __device__ static HeadRows ownRows(const void* tensor, const Queries& queries, int64_t headStride,
                                     int64_t tokenStride) {
    HeadRows rows = HeadRows::of<Element>(tensor, queries.keyValueHead, headStride,
                                          queries.sequence.firstKey, tokenStride);
    rows.first += ownChunk() * 16;
    return rows;
  }

  __device__ void bringQueries(const HopperWork& work) {
    const int stage = queryRing.stage();
    waitAt(shared.queriesFree(stage), queryRing.parity() ^ 1);
    arriveExpecting(shared.queriesFull(stage), Shape::kQueryBytes);
    for (int panel = 0; panel < Shape::kPanels; panel++) {
      for (int row = 0; row < Shape::kTileRows; row += kMapTokens) {
        copyBox(shared.queries(stage) + panel * Shape::kQueryPanelBytes + row * kPanelRowBytes,
                params.hopper->queries, panel * kPanelDims, work.firstRow + row, work.queryHead,
                shared.queriesFull(stage));
      }
    }
    queryRing.advance();
  }

  // The parts of tile t. Lists of columns are touched, so that they are in the first-level cache when
  // their rows are copied.
  __device__ static void readParts(const Policy& policy, int parts, int t,
                                   KeyTile (&tile)[kParts]) {
    const int missing = (kParts - parts % kParts) % kParts;
#pragma unroll
    for (int i = 0; i < kParts; i++) {
      const int place = t * kParts + i;
      const bool none = place > 0 && place <= missing;
      tile[i] = none ? KeyTile{0, 0} : policy.tile(parts - 1 - (place > 0 ? place - missing : 0));
      if constexpr (Policy::kGathers) {
        if (tile[i].isColumns() && int(threadIdx.x) < tile[i].count) {
          touch(policy.columns + tile[i].firstColumn() + threadIdx.x);
        }
      }
    }
  }

  __device__ static void touch(const void* address) {
    int32_t unused;
    asm volatile("ld.global.nc.b32 %0, [%1];" : "=r"(unused) : "l"(address));
  }

  // Thread 0 alone waits for free stages: threads that have nothing to do for blocks run ahead, and to them
  // the parity of a barrier that is two phases behind would look like the one that they wait for.
  __device__ void bringTile(const Item& item, const KeyTile (&tile)[kParts], int nextShares) {
    bool gathers = false;
    int blocks = 0;
#pragma unroll
    for (int i = 0; i < kParts; i++) {
      gathers |= Policy::kGathers && tile[i].isColumns();
      blocks += Policy::kGathers && tile[i].isColumns() ? 0 : 1;
    }
    int stage = keyRing.stage();
    if (threadIdx.x == 0) {
      waitAt(shared.keysFree(stage), keyRing.parity() ^ 1);
#pragma unroll
      for (int i = 0; i < kParts; i++) {
        shared.tile(stage)->parts[i] = tile[i];
      }
      shared.tile(stage)->nextShares = nextShares;
      arriveExpecting(shared.keysFull(stage), blocks * Shape::kPartBytes);
      bringBlocks(item, tile, params.hopper->keys, shared.keys(stage), shared.keysFull(stage));
    }
    Positions positions;
    if (gathers) {
      readPositions(item.policy, tile, positions);
      syncThreads(kOwnBarrier, kProducerThreads);
      bringPositions(item.policy, tile, stage);
      bringColumns(tile, positions, item.keys, shared.keys(stage));
      arriveAfterCopies(shared.keysGathered(stage));
    }
    keyRing.advance();
    stage = valueRing.stage();
    if (threadIdx.x == 0) {
      waitAt(shared.valuesFree(stage), valueRing.parity() ^ 1);
      arriveExpecting(shared.valuesFull(stage), blocks * Shape::kPartBytes);
      bringBlocks(item, tile, params.hopper->values, shared.values(stage), shared.valuesFull(stage));
    }
    if (gathers) {
      syncThreads(kOwnBarrier, kProducerThreads);
      bringColumns(tile, positions, item.values, shared.values(stage));
      arriveAfterCopies(shared.valuesGathered(stage));
    }
    valueRing.advance();
  }

  // Thread 0 calls it.
  __device__ void bringBlocks(const Item& item, const KeyTile (&tile)[kParts], const void* map,
                              uint32_t target, uint32_t barrier) const {
#pragma unroll
    for (int i = 0; i < kParts; i++) {
      if (!Policy::kGathers || !tile[i].isColumns()) {
        for (int panel = 0; panel < Shape::kPanels; panel++) {
          copyBox(target + panel * Shape::kKeyPanelBytes + i * Shape::kPartKeys * kPanelRowBytes, map,
                  panel * kPanelDims, item.firstKey + tile[i].firstKey(), item.keyValueHead, barrier);
        }
      }
    }
  }

  __device__ void bringPositions(const Policy& policy, const KeyTile (&tile)[kParts],
                                 int stage) const {
    if constexpr (Policy::kGathers) {
#pragma unroll
      for (int i = 0; i < kParts; i++) {
        if (tile[i].isColumns() && threadIdx.x < Shape::kPartKeys) {
          const bool valid = int(threadIdx.x) < tile[i].count;
          copyWord(sharedAddress(shared.columns(stage) + i * Shape::kPartKeys + threadIdx.x),
                   policy.columns + tile[i].firstColumn() + (valid ? threadIdx.x : 0), valid);
        }
      }
    }
  }

  // The columns of this thread's rows; negative where a part has none.
  __device__ static void readPositions(const Policy& policy, const KeyTile (&tile)[kParts],
                                       Positions& positions) {
    if constexpr (Policy::kGathers) {
#pragma unroll
      for (int i = 0; i < kParts; i++) {
        if (tile[i].isColumns()) {
          const int32_t* columns = policy.columns + tile[i].firstColumn() + firstOwnRow();
          if (tile[i].count == Shape::kPartKeys) {
#pragma unroll
            for (int row = 0; row < kOwnRows; row++) {
              positions[i][row] = __ldg(columns + row) & kKeyBits;
            }
          } else {
#pragma unroll
            for (int row = 0; row < kOwnRows; row++) {
              positions[i][row] = firstOwnRow() + row < tile[i].count ? __ldg(columns + row) & kKeyBits : -1;
            }
          }
        }
      }
    }
  }

  // Rows of K or V. The producer's threads are few: what they do for each row decides how fast columns come.
  __device__ void bringColumns(const KeyTile (&tile)[kParts], const Positions& positions,
                               const HeadRows& source, uint32_t target) const {
    if constexpr (Policy::kGathers) {
      if (ownChunk() >= kChunks) {
        return;
      }
      uint32_t places[kSwizzledRows];
#pragma unroll
      for (int row = 0; row < kSwizzledRows; row++) {
        places[row] = target + ownPlaces[row];
      }
#pragma unroll
      for (int i = 0; i < kParts; i++) {
        if (tile[i].isColumns()) {
          if (tile[i].count == Shape::kPartKeys && params.headDim == Shape::kHeadDim) {
            bringPart<true>(i, positions, source, places);
          } else {
            bringPart<false>(i, positions, source, places);
          }
        }
      }
    }
  }

  // Part i; unless it is whole, what it does not have becomes zero.
  template <bool IsWhole>
  __device__ void bringPart(int i, const Positions& positions, const HeadRows& source,
                            const uint32_t (&places)[kSwizzledRows]) const {
#pragma unroll
    for (int row = 0; row < kOwnRows; row++) {
      const bool valid = IsWhole || (ownChunk() * 8 < params.headDim && positions[i][row] >= 0);
      const uint32_t at = (i * Shape::kPartKeys + row / kSwizzledRows * kSwizzledRows) * kPanelRowBytes;
      copyChunk(places[row % kSwizzledRows] + at, source.row(valid ? positions[i][row] : 0), valid);
    }
  }
};

}  // namespace heddle

#endif
