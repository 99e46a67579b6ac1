// How many cells (query, key) an index makes the attention kernel compute: what queries read.
#pragma once

#include "heddle/lengths.cuh"

namespace heddle {

// cells: int64 [head slot], to which the cells of all sequences are added. The host sets it to zero.
struct CountCellsParams {
  AttentionParams attention;
  unsigned long long* cells;
};
static_assert(sizeof(CountCellsParams) == sizeof(AttentionParams) + 8);

// Cells on or below the diagonal of the keys first to end - 1 with the queries of which the first is at
// firstPosition and the last sees visibleKeys keys: key j is seen by min(queries, visibleKeys - j) of them.
__device__ inline unsigned long long cellsOfKeys(int firstPosition, int visibleKeys, int first, int end) {
  const long long queries = visibleKeys - firstPosition;
  const long long keys = max(0, min(end, visibleKeys) - first);
  const long long seenByAll = max(0ll, min(keys, (long long)firstPosition + 1 - first));
  const long long seenBySome = keys - seenByAll;
  const long long most = visibleKeys - (first + seenByAll);
  return seenByAll * queries + seenBySome * (2 * most - seenBySome + 1) / 2;
}

// Those of so many neighbouring keys, or of a column, with the queries that read them.
__device__ inline unsigned long long cellsOfEntry(const QueryBlock& block, int entry, int count) {
  const int start = entry & kKeyBits;
  const int middle = min(block.firstPosition + kHalfRows, block.visibleKeys);
  const int first = isReadBy(entry, 0) ? block.firstPosition : middle;
  const int visible = isReadBy(entry, 1) ? block.visibleKeys : middle;
  return first < visible ? cellsOfKeys(first, visible, start, start + count) : 0;
}

// Grid: (head slots, query blocks / 8 rounded up, sequences). Block: 256, a warp per index row. A thread per
// row took 135 us of a layer of 32 heads x 8,192 tokens on an H100, as long as building its index.
__device__ inline void countCells(const CountCellsParams& params) {
  const AttentionParams& attention = params.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const int queryBlock = blockIdx.y * (blockDim.x / 32) + threadIdx.x / 32;
  const int lane = threadIdx.x % 32;
  unsigned long long cells = 0;
  if (queryBlock * kQueryRows < sequence.queryTokens) {
    const QueryBlock block(sequence, queryBlock);
    const int64_t row = indexRow(attention, blockIdx.z, blockIdx.x, queryBlock);
    for (int64_t i = attention.blockOffsets[row] + lane; i < attention.blockOffsets[row + 1]; i += 32) {
      cells += cellsOfEntry(block, attention.blockStarts[i], kKeyColumns);
    }
    for (int64_t i = attention.columnOffsets[row] + lane; i < attention.columnOffsets[row + 1]; i += 32) {
      cells += cellsOfEntry(block, attention.columns[i], 1);
    }
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    cells += __shfl_xor_sync(~0u, cells, distance);
  }
  if (lane == 0 && cells > 0) {
    atomicAdd(params.cells + blockIdx.x, cells);
  }
}

}  // namespace heddle
