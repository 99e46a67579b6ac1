// Which queries a thread block computes: coordinates and lengths.
#pragma once

#include "parameters.cuh"

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

// The queries that one thread block computes: Rows neighbouring ones of one head, within one query
// block. Grid: (head slots, tiles of the longest sequence, sequences). Tiles run from the last
// one down, so that those with the most keys start first and the short ones fill the gaps at the end.
template <int Rows>
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

  __device__ explicit QueryTile(const AttentionParams& params) {
    sequence = params.sequences[blockIdx.z];
    slot = blockIdx.x;
    queryHead = params.heads[slot];
    keyValueHead = queryHead / params.groupSize;
    const int tile = gridDim.y - 1 - blockIdx.y;
    firstQuery = tile * Rows;
    queries = min(Rows, sequence.queryTokens - firstQuery);
    queryBlock = firstQuery / kQueryRows;
    indexRow = heddle::indexRow(params, blockIdx.z, slot, queryBlock);
    firstPosition = sequence.keyTokens - sequence.queryTokens + firstQuery;
    visibleKeys = firstPosition + queries;
  }
};

}  // namespace heddle
