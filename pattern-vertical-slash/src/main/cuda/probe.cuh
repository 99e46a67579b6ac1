// What the last queries of a prompt attend to: their softmax rows, summed by column and by offset
// (probe_scores.cuh).
//
// Two passes over K: the first finds greatest score and sum of each chunk of keys (then combined), the
// second computes the scores again and adds up. Scores are never stored: to compute them twice costs less
// than to write and read them.
//
// The heads of a team share each tile of keys in shared memory; a warp has one head's 64 probes. The
// thread block has two parts (float32: one), each with a chunk of keys; they take turns at the tensor
// cores, so that one multiplies while the other works on its scores.
//
// Grid: (teams, chunks of keys / ProbeShape::kParts rounded up). Block: 32 * kParts * members of the
// largest team. Dynamic shared memory: a tile for each member, and one of keys for each part.
#pragma once

#include "probe_scores.cuh"

namespace vertical_slash {

constexpr int kTurnBarrier = 1;  // and the next number, for the second part
constexpr int kPartBarrier = 3;  // likewise

__device__ inline void waitAtBarrier(int number, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
}

// Counts as having come to a barrier at which other threads wait.
__device__ inline void passBarrier(int number, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(number), "r"(threads) : "memory");
}

// One part's chunk of keys, with one group of the probes of one team.
template <class Element, int HeadDim>
struct Probe {
  using Shape = ProbeShape<Element, HeadDim>;

  unsigned char* const memory;
  const int members;  // of the largest team: warps of a part
  const int part;     // of this thread's warp
  const HeadProbes head;
  const HeadRows keys;

  __device__ Probe(const VerticalSlashParams& parameters, unsigned char* sharedMemory)
      : memory(sharedMemory),
        members(blockDim.x / (32 * Shape::kParts)),
        part(threadIdx.x / (32 * members)),
        head(parameters, threadIdx.x / 32 - part * members, blockIdx.y * Shape::kParts + part),
        keys(HeadRows::of<Element>(
            parameters.attention.keys,
            parameters.attention.heads[parameters.teams[blockIdx.x].slots[0]] /
                parameters.attention.groupSize,
            parameters.attention.keyHeadStride, head.sequence.firstKey,
            parameters.attention.keyTokenStride)) {}

  // Whether the first part of this thread block has keys.
  __device__ bool isEmpty() const {
    return blockIdx.y * Shape::kParts * head.params.chunkKeys >= head.sequence.keyTokens;
  }

  // Where statistics are not finite, they are found once more with scores made so.
  __device__ void findStatistics() const {
    Statistics statistics;
    const auto add = [&](bool careful) {
      forTiles([&](int tile, Scores& scores) { statistics.add(head, tile, scores, careful); });
    };
    add(false);
    if (!__syncthreads_and(statistics.areFinite())) {
      statistics = Statistics();
      add(true);
    }
    statistics.write(head);
  }

  // Adds the weights of the group to the sums.
  __device__ void addWeights() const {
    Weights weights(head);
    forTiles([&](int tile, Scores& scores) { weights.add(head, tile, scores); });
    weights.finish(head);
  }

 private:
  // Calls use(first key of the tile, its scores) for each tile of the chunk, in the warps that have
  // probes. The copy of the next tile runs meanwhile.
  template <class Use>
  __device__ void forTiles(Use use) const {
    unsigned char* const keyTile = memory + (members + part) * Shape::kTileBytes;
    const int threads = 32 * members;
    // Warps of both parts share a scheduler, and so need turns, if a part has a multiple of 4.
    const bool takesTurns = Shape::kParts == 2 && members == 4;
    const int chunkKeys = head.params.chunkKeys;
    const int firstKey = head.chunk * chunkKeys;
    const int firstOfBlock = firstKey - part * chunkKeys;
    const int steps =
        (min(chunkKeys, head.sequence.keyTokens - firstOfBlock) + kTile - 1) / kTile;
    Scores scores;
    loadQueries();
    loadKeys(keyTile, firstKey);
    heddle::waitForCopies();
    __syncthreads();
    if (takesTurns && part == 1) {
      passBarrier(kTurnBarrier, 2 * threads);
    }
    for (int step = 0; step < steps; step++) {
      const int tile = firstKey + step * kTile;
      heddle::waitForCopies();
      waitAtBarrier(kPartBarrier + part, threads);
      if (takesTurns) {
        waitAtBarrier(kTurnBarrier + part, 2 * threads);
      }
      if (head.probes > 0) {
        multiply<Element, HeadDim>(scores, memory + head.member * Shape::kTileBytes, keyTile);
      }
      if (takesTurns && (part == 0 || step + 1 < steps)) {
        passBarrier(kTurnBarrier + 1 - part, 2 * threads);
      }
      waitAtBarrier(kPartBarrier + part, threads);
      if (step + 1 < steps) {
        loadKeys(keyTile, tile + kTile);
      }
      if (head.reads(tile)) {
        use(tile, scores);
      }
    }
    __syncthreads();
  }

  __device__ void loadKeys(unsigned char* target, int first) const {
    loadRows<Element, HeadDim>(target, keys, first, first, head.endKey,
                               head.params.attention.headDim, threadIdx.x - 32 * members * part,
                               32 * members, rowOfKey);
  }

  // All threads of the block copy the probes of one member after the other.
  __device__ void loadQueries() const {
    const AttentionParams& attention = head.params.attention;
    const ProbeTeam& team = head.params.teams[blockIdx.x];
    const int end = head.sequence.queryTokens - head.params.behind;
    for (int i = 0; i < team.members; i++) {
      const int slot = team.slots[i];
      const HeadRows rows = HeadRows::of<Element>(
          attention.queries, attention.heads[slot], attention.queryHeadStride,
          head.sequence.firstQuery, attention.queryTokenStride);
      const int count = Options(attention, slot).probesOfGroup(head.sequence, head.params.behind);
      loadRows<Element, HeadDim>(memory + i * Shape::kTileBytes, rows, end - kTile, end - count, end,
                                 attention.headDim, threadIdx.x, blockDim.x, rowOfProbe);
    }
  }
};

}  // namespace vertical_slash
