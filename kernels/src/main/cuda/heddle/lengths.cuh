// Which queries a thread block computes: coordinates and lengths.
#pragma once

#include "heddle/parameters.cuh"

namespace heddle {

// The index row of a query block of one head in one sequence.
__device__ inline int64_t indexRow(const AttentionParams& params, int sequence, int slot,
                                   int queryBlock) {
  return (int64_t(sequence) * params.headSlots + slot) * params.mostQueryBlocks + queryBlock;
}

// What one query block sees, whatever head it belongs to.
struct QueryBlock {
  int firstPosition;  // of its first query in the sequence
  int visibleKeys;    // keys that its last query may see: one more than that query's position

  __device__ QueryBlock(const Sequence& sequence, int block) {
    const int firstQuery = block * kQueryRows;
    const int endQuery = min(firstQuery + kQueryRows, sequence.queryTokens);
    firstPosition = sequence.keyTokens - sequence.queryTokens + firstQuery;
    visibleKeys = sequence.keyTokens - sequence.queryTokens + endQuery;
  }
};

// Which query tile one is, in the order in which they start: `number` of those of one sequence.
//
// The order goes through as many heads as have their keys and values in half of an L2 cache of 50 MB (at
// least through those that share them), then through the tiles from the last one down, and only then on to
// the next heads. What runs at the same time reads the same keys, and the longest tiles start first, so
// that short ones fill the gaps at the end. Measured on an H100 at 131,072 tokens, 32 heads in groups of 4,
// head dim 128: 48.4 ms with all heads at once became 43.8 ms for scattered key blocks, 418 ms became
// 403 ms for dense.
struct TileNumber {
  int sequence;
  int number;
  int slots;  // head slots of the launch
  int tiles;  // of the longest sequence

  // Of the thread block, in a grid of (head slots, tiles of the longest sequence, sequences).
  __device__ static TileNumber ofBlock() {
    return {int(blockIdx.z), int(blockIdx.y * gridDim.x + blockIdx.x), int(gridDim.x), int(gridDim.y)};
  }
};

// Rows neighbouring queries of one head, within one query block, that are computed together. Rows of K and
// of V take RowBytes.
template <int Rows, int RowBytes>
struct QueryTile {
  static_assert(kQueryRows % Rows == 0);

  Sequence sequence;
  int slot;
  int queryHead;
  int keyValueHead;
  int queryBlock;
  int64_t indexRow;
  int firstQuery;     // within the sequence
  int queries;        // at most Rows; not positive if the sequence is too short for this tile
  int firstPosition;  // of firstQuery among the keys
  int visibleKeys;    // of the tile's last query

  __device__ explicit QueryTile(const AttentionParams& params)
      : QueryTile(params, TileNumber::ofBlock()) {}

  __device__ QueryTile(const AttentionParams& params, const TileNumber& which) {
    sequence = params.sequences[which.sequence];
    const int most = headsAtOnce(params);
    const int pass = which.number / (most * which.tiles);
    const int slots = min(most, which.slots - pass * most);
    const int place = which.number - pass * most * which.tiles;
    slot = pass * most + place % slots;
    queryHead = params.heads[slot];
    keyValueHead = queryHead / params.groupSize;
    const int tile = which.tiles - 1 - place / slots;
    firstQuery = tile * Rows;
    queries = min(Rows, sequence.queryTokens - firstQuery);
    queryBlock = firstQuery / kQueryRows;
    indexRow = heddle::indexRow(params, which.sequence, slot, queryBlock);
    firstPosition = sequence.keyTokens - sequence.queryTokens + firstQuery;
    visibleKeys = firstPosition + queries;
  }

 private:
  __device__ int headsAtOnce(const AttentionParams& params) const {
    constexpr int kCacheBytes = 25 << 20;
    constexpr int kCacheRows = kCacheBytes / (2 * RowBytes);
    return params.groupSize * max(1, kCacheRows / sequence.keyTokens);
  }
};

}  // namespace heddle
