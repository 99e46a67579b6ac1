// Block-Sparse: each query block reads the key blocks with the greatest scores
//
//     scale * mean(q) . mean(k)
//
// of mean queries and mean keys, the first sink-blocks and those on the diagonal always among them.
// Softmax keeps the order of the scores of one query block, so it is not computed. Every sum runs in
// the order in which BlockSparseIndexBuilder adds on the host.
//
// The index is built in five steps, queued one after the other:
//   pool_queries, pool_keys   means of blocks
//   count, scan               entries of each index row, known before any score; then offsets
//   score, select             scores of a pass of rows, and the rows that follow from them
// options[slot]: {blocks, sink-blocks}.

#include <cfloat>

#include "heddle/attention.cuh"
#include "heddle/top_scores.cuh"

namespace {

using heddle::AttentionParams;
using heddle::kKeyColumns;
using heddle::kQueryRows;
using heddle::QueryBlock;
using heddle::Sequence;

struct BlockSparseParams {
  AttentionParams attention;
  float* meanQueries;  // [sequence * headSlots + slot][mostQueryBlocks][headDim]
  float* meanKeys;     // [sequence][key/value head][mostKeyBlocks][headDim]
  float* scores;       // [sequence * headSlots + slot][passRows][mostKeyBlocks]
  int32_t keyValueHeads;
  int32_t mostKeyBlocks;
  int32_t firstRow;  // query block with which this pass of score and select begins
  int32_t passRows;
};
static_assert(offsetof(BlockSparseParams, meanQueries) == sizeof(AttentionParams));
static_assert(offsetof(BlockSparseParams, keyValueHeads) == sizeof(AttentionParams) + 24);
static_assert(sizeof(BlockSparseParams) == sizeof(AttentionParams) + 40);

__device__ float4 loadFour(const float* source) { return *reinterpret_cast<const float4*>(source); }

template <class Element>
__device__ float4 loadFour(const Element* source) {
  const uint2 words = *reinterpret_cast<const uint2*>(source);
  Element four[4];
  memcpy(four, &words, sizeof four);
  return {heddle::toFloat(four[0]), heddle::toFloat(four[1]), heddle::toFloat(four[2]),
          heddle::toFloat(four[3])};
}

// means[dim] = sum over count rows / count, row after row. A warp calls it; a lane has 4 dimensions.
template <class Element>
__device__ void poolBlock(const Element* rows, int64_t tokenStride, int count, int headDim,
                          float* means) {
  for (int dim = threadIdx.x * 4; dim < headDim; dim += 128) {
    float4 sum = {0, 0, 0, 0};
#pragma unroll 8
    for (int row = 0; row < count; row++) {
      const float4 four = loadFour(rows + row * tokenStride + dim);
      sum.x += four.x;
      sum.y += four.y;
      sum.z += four.z;
      sum.w += four.w;
    }
    *reinterpret_cast<float4*>(means + dim) = {sum.x / count, sum.y / count, sum.z / count,
                                               sum.w / count};
  }
}

// Grid: (query blocks / 8 rounded up, head slots, sequences). Block: (32, 8), a warp per query block.
template <class Element>
__device__ void poolQueries(const BlockSparseParams& params) {
  const AttentionParams& attention = params.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const int block = blockIdx.x * 8 + threadIdx.y;
  const int first = block * kQueryRows;
  const int count = min(kQueryRows, sequence.queryTokens - first);
  if (count <= 0) {
    return;
  }
  const Element* rows = static_cast<const Element*>(attention.queries) +
                        attention.heads[blockIdx.y] * attention.queryHeadStride +
                        (int64_t(sequence.firstQuery) + first) * attention.queryTokenStride;
  poolBlock(rows, attention.queryTokenStride, count, attention.headDim,
            params.meanQueries +
                heddle::indexRow(attention, blockIdx.z, blockIdx.y, block) * attention.headDim);
}

// Grid: (key blocks / 8 rounded up, key/value heads, sequences). Block: (32, 8), a warp per key block.
template <class Element>
__device__ void poolKeys(const BlockSparseParams& params) {
  const AttentionParams& attention = params.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const int block = blockIdx.x * 8 + threadIdx.y;
  const int first = block * kKeyColumns;
  const int count = min(kKeyColumns, sequence.keyTokens - first);
  if (count <= 0) {
    return;
  }
  const Element* rows = static_cast<const Element*>(attention.keys) +
                        blockIdx.y * attention.keyHeadStride +
                        (int64_t(sequence.firstKey) + first) * attention.keyTokenStride;
  const int64_t head = int64_t(blockIdx.z) * params.keyValueHeads + blockIdx.y;
  poolBlock(rows, attention.keyTokenStride, count, attention.headDim,
            params.meanKeys + (head * params.mostKeyBlocks + block) * attention.headDim);
}

// What is known of an index row before any score.
struct RowBudget {
  int visibleBlocks;  // key blocks of which the last query sees at least one key
  int firstDiagonal;  // the first key block that not all queries see whole
  int sinks;          // key blocks that are forced at the start
  int taken;          // key blocks that the row reads
  int rest;           // keys that the row reads of a last block cut off by the diagonal, if so few...
  bool restIsColumns;  // ... that they are listed as columns

  __device__ RowBudget(const AttentionParams& attention, int slot, const QueryBlock& block) {
    const int kept = attention.options[slot * attention.optionCount];
    const int sinkBlocks = attention.options[slot * attention.optionCount + 1];
    visibleBlocks = (block.visibleKeys + kKeyColumns - 1) / kKeyColumns;
    firstDiagonal = block.firstPosition / kKeyColumns;
    sinks = min(sinkBlocks, firstDiagonal);
    taken = min(visibleBlocks, max(kept, sinks + visibleBlocks - firstDiagonal));
    rest = block.visibleKeys % kKeyColumns;
    restIsColumns = rest > 0 && 2 * rest < kKeyColumns;
  }
};

}  // namespace

#define POOL_KERNELS(type, Element)                                                         \
  extern "C" __global__ void __launch_bounds__(256)                                         \
      heddle_block_sparse_pool_queries_##type(const __grid_constant__ BlockSparseParams p) { \
    poolQueries<Element>(p);                                                                \
  }                                                                                         \
  extern "C" __global__ void __launch_bounds__(256)                                         \
      heddle_block_sparse_pool_keys_##type(const __grid_constant__ BlockSparseParams p) {    \
    poolKeys<Element>(p);                                                                   \
  }

POOL_KERNELS(f16, heddle::Half)
POOL_KERNELS(bf16, heddle::BFloat)
POOL_KERNELS(f32, float)

// offsets[row + 1] = entries of the row, for blocks and columns; 0 for rows behind a sequence's end.
// Grid: (head slots, query blocks / 128 rounded up, sequences). Block: 128, a thread per row.
extern "C" __global__ void __launch_bounds__(128)
    heddle_block_sparse_count(const __grid_constant__ BlockSparseParams p) {
  const AttentionParams& attention = p.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const int queryBlock = blockIdx.y * blockDim.x + threadIdx.x;
  if (queryBlock >= attention.mostQueryBlocks) {
    return;
  }
  int blocks = 0;
  int columns = 0;
  if (queryBlock * kQueryRows < sequence.queryTokens) {
    const RowBudget budget(attention, blockIdx.x, QueryBlock(sequence, queryBlock));
    blocks = budget.taken - (budget.restIsColumns ? 1 : 0);
    columns = budget.restIsColumns ? budget.rest : 0;
  }
  const int64_t row = heddle::indexRow(attention, blockIdx.z, blockIdx.x, queryBlock);
  attention.blockOffsets[row + 1] = blocks;
  attention.columnOffsets[row + 1] = columns;
}

// Grid: 2 (blocks, columns). Block: 1024.
extern "C" __global__ void __launch_bounds__(1024)
    heddle_block_sparse_scan(const __grid_constant__ BlockSparseParams p) {
  const AttentionParams& attention = p.attention;
  heddle::countsToOffsets(
      blockIdx.x == 0 ? attention.blockOffsets : attention.columnOffsets,
      int64_t(attention.sequenceCount) * attention.headSlots * attention.mostQueryBlocks);
}

// Scores of 64 query blocks with 64 key blocks: scores[row][block] = sum over dim, in order, of
// (scale * mean query) * mean key. Thread (x, y) of 16 x 16 has 4 x 4 of them.
// Grid: (key blocks / 64, rows of the pass / 64, sequences * head slots), rounded up. Block: 256.
extern "C" __global__ void __launch_bounds__(256)
    heddle_block_sparse_score(const __grid_constant__ BlockSparseParams p) {
  constexpr int kTile = 64;
  constexpr int kDims = 32;  // held in shared memory at a time
  __shared__ float queries[kDims][kTile + 4];
  __shared__ float keys[kDims][kTile + 4];
  const AttentionParams& attention = p.attention;
  const int unit = blockIdx.z;
  const Sequence sequence = attention.sequences[unit / attention.headSlots];
  const int rows = (sequence.queryTokens + kQueryRows - 1) / kQueryRows;
  const int firstRow = p.firstRow + blockIdx.y * kTile;
  const int endRow = min(min(firstRow + kTile, rows), p.firstRow + p.passRows);
  if (firstRow >= endRow) {
    return;
  }
  const int visibleKeys = QueryBlock(sequence, endRow - 1).visibleKeys;
  const int firstKey = blockIdx.x * kTile;
  const int endKey = min(firstKey + kTile, (visibleKeys + kKeyColumns - 1) / kKeyColumns);
  if (firstKey >= endKey) {
    return;
  }
  const int headDim = attention.headDim;
  const int keyValueHead = attention.heads[unit % attention.headSlots] / attention.groupSize;
  const int64_t keyHead = int64_t(unit / attention.headSlots) * p.keyValueHeads + keyValueHead;
  const float* meanQueries =
      p.meanQueries + (int64_t(unit) * attention.mostQueryBlocks + firstRow) * headDim;
  const float* meanKeys = p.meanKeys + (keyHead * p.mostKeyBlocks + firstKey) * headDim;
  const int x = threadIdx.x % 16;
  const int y = threadIdx.x / 16;
  float sums[4][4] = {};
  for (int firstDim = 0; firstDim < headDim; firstDim += kDims) {
    const int dim = threadIdx.x % kDims;
    const bool hasDim = firstDim + dim < headDim;
    for (int row = threadIdx.x / kDims; row < kTile; row += 256 / kDims) {
      const int place = row * headDim + firstDim + dim;
      queries[dim][row] =
          hasDim && firstRow + row < endRow ? meanQueries[place] * attention.softmaxScale : 0;
      keys[dim][row] = hasDim && firstKey + row < endKey ? meanKeys[place] : 0;
    }
    __syncthreads();
#pragma unroll 8
    for (int i = 0; i < kDims; i++) {
      const float4 q = *reinterpret_cast<const float4*>(&queries[i][y * 4]);
      const float4 k = *reinterpret_cast<const float4*>(&keys[i][x * 4]);
      const float qs[4] = {q.x, q.y, q.z, q.w};
      const float ks[4] = {k.x, k.y, k.z, k.w};
#pragma unroll
      for (int row = 0; row < 4; row++) {
#pragma unroll
        for (int key = 0; key < 4; key++) {
          sums[row][key] = fmaf(qs[row], ks[key], sums[row][key]);
        }
      }
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; i++) {
    const int row = firstRow + y * 4 + i;
    for (int j = 0; j < 4; j++) {
      const int key = firstKey + x * 4 + j;
      if (row < endRow && key < endKey) {
        p.scores[(int64_t(unit) * p.passRows + row - p.firstRow) * p.mostKeyBlocks + key] =
            sums[i][j];
      }
    }
  }
}

// Lists the key blocks of a row. Grid: (head slots, rows of the pass, sequences). Block: 256.
extern "C" __global__ void __launch_bounds__(256)
    heddle_block_sparse_select(const __grid_constant__ BlockSparseParams p) {
  __shared__ heddle::TopScratch scratch;
  const AttentionParams& attention = p.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const int queryBlock = p.firstRow + blockIdx.y;
  if (queryBlock * kQueryRows >= sequence.queryTokens) {
    return;
  }
  const QueryBlock block(sequence, queryBlock);
  const RowBudget budget(attention, blockIdx.x, block);
  const int64_t unit = int64_t(blockIdx.z) * attention.headSlots + blockIdx.x;
  const float* scores = p.scores + (unit * p.passRows + blockIdx.y) * p.mostKeyBlocks;
  const auto rank = [&](int i) {
    const bool forced = i < budget.sinks || i >= budget.firstDiagonal;
    const float score = forced ? 0 : scores[i];
    // An infinite score ranks below what is forced.
    return heddle::rankOf(forced ? INFINITY : score > FLT_MAX ? FLT_MAX : score);
  };
  const int64_t row = heddle::indexRow(attention, blockIdx.z, blockIdx.x, queryBlock);
  int32_t* starts = attention.blockStarts + attention.blockOffsets[row];
  int32_t* columns = attention.columns + attention.columnOffsets[row];
  const heddle::Threshold threshold =
      heddle::findThreshold(rank, budget.visibleBlocks, budget.taken, scratch);
  heddle::takeTop(rank, budget.visibleBlocks, threshold, scratch, [&](int place, int i) {
    if (!budget.restIsColumns || i < budget.visibleBlocks - 1) {
      starts[place] = i * kKeyColumns;
    }
  });
  if (budget.restIsColumns && threadIdx.x < budget.rest) {
    columns[threadIdx.x] = block.visibleKeys - budget.rest + threadIdx.x;
  }
}

HEDDLE_ATTENTION_KERNELS(block_sparse, heddle::RowKeys)
