// The probe (probe.cuh) with the products of compute capability 9.0, for 16-bit numbers.
//
// Two warpgroups share each tile of keys; warpgroup g has the members g and g + 2 of the team, one after the
// other. A tile is 64 keys of each of four chunks, one chunk for each warp of a warpgroup, so that a warp goes
// on from tile to tile as in the other probe: with the products' rows dealt out accordingly, it holds its own
// 64 keys just as probe_tile.cuh has them. The warpgroups take turns: the products of one run while the other
// works on its scores. A tile may be read once all threads' copies to it have arrived, and be overwritten once
// all threads have done their last products with it.
//
// Grid: (teams, chunks / 4 rounded up). Block: 256. Dynamic shared memory: HopperProbeShape::kSharedBytes.
#pragma once

#include "heddle/hopper_shape.cuh"
#include "probe_scores.cuh"

namespace vertical_slash {

template <class ElementType, int HeadDimension>
struct HopperProbeShape {
  using Element = ElementType;
  static constexpr int kHeadDim = HeadDimension;
  static constexpr int kThreads = 256;
  static constexpr int kChunks = 4;  // of keys, that a thread block has: one for each warp of a warpgroup
  static constexpr int kTileRows = kChunks * kTile;
  static constexpr int kStages = 2;
  static constexpr int kPanels = (kHeadDim + heddle::kPanelDims - 1) / heddle::kPanelDims;
  static constexpr int kProbePanelBytes = kTile * heddle::kPanelRowBytes;
  static constexpr int kProbeBytes = kPanels * kProbePanelBytes;  // of a member
  static constexpr int kKeyPanelBytes = kTileRows * heddle::kPanelRowBytes;
  static constexpr int kKeyBytes = kPanels * kKeyPanelBytes;  // of a tile
  static constexpr int kKeysAt = kMostMembers * kProbeBytes;
  static constexpr int kBarriersAt = kKeysAt + kStages * kKeyBytes;
  // 1024 more, because the tiles must begin at a multiple of that.
  static constexpr int kSharedBytes = kBarriersAt + 2 * kStages * 8 + 1024;
};

// VerticalSlashGpuIndex has the same table.
static_assert(HopperProbeShape<heddle::Half, 64>::kSharedBytes == 99360);
static_assert(HopperProbeShape<heddle::Half, 96>::kSharedBytes == 197664);
static_assert(HopperProbeShape<heddle::Half, 128>::kSharedBytes == 197664);

#ifdef HEDDLE_HOPPER

template <class Shape>
struct HopperProbe {
  using Element = typename Shape::Element;
  static constexpr int kOwn = kMostMembers / 2;  // members that a warpgroup has at most
  static constexpr int kTurnBarrier = 1;         // and 2: products of warpgroup 0, 1
  static constexpr int kDimSteps = Shape::kHeadDim / 16;

  // This thread's share of copies: chunk of 16 bytes, and every kRowsAtOnce-th row from its first on.
  static constexpr int kRowChunks = Shape::kHeadDim / 8;
  static constexpr int kLanes = kRowChunks <= 8 ? 8 : 16;
  static constexpr int kRowsAtOnce = Shape::kThreads / kLanes;
  static_assert(kRowChunks <= kLanes && kTile % kRowsAtOnce == 0 && kRowsAtOnce % 8 == 0);

  const VerticalSlashParams& params;
  const ProbeTeam& team;
  const Sequence sequence;
  const int group;  // this thread's warpgroup
  const int chunk;  // of keys, of this thread's warp
  const uint32_t shared;
  const HeadRows keys;  // from this thread's 16 bytes of a row on
  int tiles = 0;        // that have been copied and used, over all passes

  __device__ HopperProbe(const VerticalSlashParams& parameters, unsigned char* memory)
      : params(parameters),
        team(parameters.teams[blockIdx.x]),
        sequence(parameters.attention.sequences[team.sequence]),
        group(threadIdx.x / 128),
        chunk(blockIdx.y * Shape::kChunks + threadIdx.x % 128 / 32),
        shared((heddle::sharedAddress(memory) + 1023) & ~1023u),
        keys(ownRows(parameters.attention.keys,
                     parameters.attention.heads[team.slots[0]] / parameters.attention.groupSize,
                     parameters.attention.keyHeadStride, sequence.firstKey,
                     parameters.attention.keyTokenStride)) {}

  // Whether the first chunk of this thread block has no keys.
  __device__ bool isEmpty() const { return firstKey() >= sequence.keyTokens; }

  // Before anything else; all threads call it.
  __device__ void begin() const {
    if (threadIdx.x == 0) {
      for (int stage = 0; stage < Shape::kStages; stage++) {
        heddle::makeBarrier(full(stage), Shape::kThreads);
        heddle::makeBarrier(free(stage), Shape::kThreads);
      }
      heddle::fenceNewBarriers();
    }
    loadProbes();
    __syncthreads();
  }

  __device__ void findStatistics() {
    const HeadProbes heads[kOwn] = {head(0), head(1)};
    Statistics statistics[kOwn];
    const auto add = [&](bool careful) {
      forTiles([&](int own, int tile, Scores& scores) {
        if (heads[own].reads(tile)) {
          statistics[own].add(heads[own], tile, scores, careful);
        }
      });
    };
    add(false);
    if (!__syncthreads_and(statistics[0].areFinite() && statistics[1].areFinite())) {
      statistics[0] = statistics[1] = Statistics();
      add(true);
    }
    statistics[0].write(heads[0]);
    statistics[1].write(heads[1]);
  }

  __device__ void addWeights() {
    const HeadProbes heads[kOwn] = {head(0), head(1)};
    Weights weights[kOwn] = {Weights(heads[0]), Weights(heads[1])};
    forTiles([&](int own, int tile, Scores& scores) {
      if (heads[own].reads(tile)) {
        weights[own].add(heads[own], tile, scores);
      }
    });
    weights[0].finish(heads[0]);
    weights[1].finish(heads[1]);
  }

 private:
  __device__ uint32_t probes(int member) const { return shared + member * Shape::kProbeBytes; }
  __device__ uint32_t keyTile(int stage) const {
    return shared + Shape::kKeysAt + stage * Shape::kKeyBytes;
  }
  __device__ uint32_t full(int stage) const { return shared + Shape::kBarriersAt + 8 * stage; }
  __device__ uint32_t free(int stage) const { return full(Shape::kStages + stage); }

  __device__ HeadProbes head(int own) const { return HeadProbes(params, group + 2 * own, chunk); }
  __device__ int firstKey() const { return blockIdx.y * Shape::kChunks * params.chunkKeys; }

  __device__ static int ownChunk() { return threadIdx.x % kLanes; }
  __device__ static int firstOwnRow() { return threadIdx.x / kLanes; }

  __device__ static HeadRows ownRows(const void* tensor, int head, int64_t headStride, int firstRow,
                                     int64_t tokenStride) {
    HeadRows rows = HeadRows::of<Element>(tensor, head, headStride, firstRow, tokenStride);
    rows.first += ownChunk() * 16;
    return rows;
  }

  // Whether this thread's 16 bytes are within a row.
  __device__ bool copies() const { return ownChunk() < kRowChunks; }
  __device__ bool isInRow() const { return ownChunk() * 8 < params.attention.headDim; }

  __device__ void loadProbes() const {
    const heddle::AttentionParams& attention = params.attention;
    const int end = sequence.queryTokens - params.behind;
    for (int member = 0; member < team.members && copies(); member++) {
      const int slot = team.slots[member];
      const HeadRows rows = ownRows(attention.queries, attention.heads[slot],
                                    attention.queryHeadStride, sequence.firstQuery,
                                    attention.queryTokenStride);
      const int first = end - Options(attention, slot).probesOfGroup(sequence, params.behind);
      const uint32_t target = probes(member) + ownChunk() / 8 * Shape::kProbePanelBytes;
#pragma unroll
      for (int probe = firstOwnRow(); probe < kTile; probe += kRowsAtOnce) {
        const int query = end - kTile + probe;
        const bool valid = isInRow() && query >= first && query < end;
        heddle::copyChunk(target + heddle::panelOffset(rowOfProbe(probe), ownChunk() % 8),
                          rows.row(valid ? query : sequence.queryTokens - 1), valid);
      }
    }
  }

  // Copies the keys `step` tiles into each chunk.
  __device__ void loadKeys(int step, int stage) const {
    if (copies()) {
      const uint32_t target = keyTile(stage) + ownChunk() / 8 * Shape::kKeyPanelBytes;
      const int first = firstKey() + step * kTile;
#pragma unroll
      for (int i = 0; i < Shape::kTileRows; i += kRowsAtOnce) {
        const int ofChunk = i / kTile;
        const int inTile = i % kTile + firstOwnRow();
        const int key = first + ofChunk * params.chunkKeys + inTile;
        const bool valid = isInRow() && key < sequence.keyTokens;
        heddle::copyChunk(target + heddle::panelOffset(rowOfKey(ofChunk, inTile), ownChunk() % 8),
                          keys.row(valid ? key : 0), valid);
      }
    }
    heddle::arriveAfterCopies(full(stage));
  }

  // A warp has rows 16 w to 16 w + 15 of each 64 that are multiplied at once, of which a thread (g, q) has
  // g and g + 8: in four times 64 rows, the keys 8 g to 8 g + 7 of the warp's own.
  __device__ static int rowOfKey(int warp, int key) {
    return key % 8 / 2 * 64 + warp * 16 + key % 2 * 8 + key / 8;
  }

  // Calls use(own member, first key of the warp's 64, their scores).
  template <class Use>
  __device__ void forTiles(Use use) {
    const int steps = (min(params.chunkKeys, sequence.keyTokens - firstKey()) + kTile - 1) / kTile;
    const bool takesTurns = team.members > 1;
    if (takesTurns && group == 1) {
      heddle::arriveThreads(kTurnBarrier, Shape::kThreads);  // warpgroup 0 begins
    }
    Scores scores;
    bring(0);
    for (int step = 0; step < steps; step++) {
      if (step + 1 < steps) {
        bring(step + 1);
      }
      const int stage = tiles % Shape::kStages;
      heddle::waitAt(full(stage), tiles / Shape::kStages & 1);
      heddle::fenceForAsync();
#pragma unroll
      for (int own = 0; own < kOwn; own++) {
        if (2 * own < team.members) {
          const int member = group + 2 * own;
          if (takesTurns) {
            heddle::syncThreads(kTurnBarrier + group, Shape::kThreads);
          }
          if (member < team.members) {
            multiply(scores, probes(member), keyTile(stage));
          }
          if (takesTurns) {
            heddle::arriveThreads(kTurnBarrier + (group ^ 1), Shape::kThreads);
          }
          heddle::waitForProducts<0>();
          if (2 * own + 2 >= team.members) {
            heddle::arriveAt(free(stage));
          }
          if (member < team.members) {
            pin(scores);
            use(own, chunk * params.chunkKeys + step * kTile, scores);
          }
        }
      }
      tiles++;
    }
    if (takesTurns && group == 0) {
      heddle::syncThreads(kTurnBarrier, Shape::kThreads);  // each turn that was given must be taken
    }
  }

  // Starts to copy tile `step` of this pass, which is 0 or 1 tiles ahead of `tiles`.
  __device__ void bring(int step) {
    const int tile = step == 0 ? tiles : tiles + 1;
    const int stage = tile % Shape::kStages;
    heddle::waitAt(free(stage), (tile / Shape::kStages & 1) ^ 1);
    loadKeys(step, stage);
  }

  // Keeps the compiler from moving registers across products that are under way.
  __device__ static void pin(Scores& scores) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      heddle::pin(ofRows(scores, i));
    }
  }

  // The scores of the i-th 64 rows.
  __device__ static float (&ofRows(Scores& scores, int i))[32] {
    return reinterpret_cast<float(&)[32]>(scores.values[i]);
  }

  // Starts scores = K Q^T.
  __device__ static void multiply(Scores& scores, uint32_t probeRows, uint32_t keyRows) {
    const uint64_t q = heddle::describe(probeRows, Shape::kProbePanelBytes);
    const uint64_t k = heddle::describe(keyRows, Shape::kKeyPanelBytes);
    pin(scores);
    heddle::beginProducts();
#pragma unroll
    for (int step = 0; step < kDimSteps; step++) {
      // 16 dims are 32 bytes of a panel's rows; addresses count 16 bytes.
      const int panel = step / 4;
      const int inPanel = step % 4 * 2;
#pragma unroll
      for (int i = 0; i < 4; i++) {
        heddle::GroupProduct<Element, 64>::fromShared(
            ofRows(scores, i),
            k + ((panel * Shape::kKeyPanelBytes + i * 64 * heddle::kPanelRowBytes) >> 4) + inPanel,
            q + (panel * Shape::kProbePanelBytes >> 4) + inPanel, step > 0);
      }
    }
    heddle::commitProducts();
  }
};

#endif

}  // namespace vertical_slash
