// Block-Sparse: each query block reads the key blocks with the greatest scores
//
//     scale * mean(q) . mean(k)
//
// of mean queries and mean keys, the first sink-blocks and those on the diagonal always among them.
// Softmax keeps the order of the scores of one query block, so it is not computed. Every sum runs in
// the order in which BlockSparseIndexBuilder adds on the host.
//
// The index is built in these steps, queued one after the other:
//   pool            means of blocks
//   count, scan     entries of each index row, known before any score; then offsets
//   score, select   scores of a pass of rows, and the rows that follow from them
// options[slot]: {blocks, sink-blocks}.

#include "heddle/attention.cuh"
#include "heddle/top_of_row.cuh"

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
  int32_t mostKeyBlocks;  // of any sequence, rounded up to a multiple of 4
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

template <class Element>
__device__ void poolQueries(const BlockSparseParams& params, int slot, int block) {
  const AttentionParams& attention = params.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const int first = block * kQueryRows;
  const int count = min(kQueryRows, sequence.queryTokens - first);
  if (count <= 0) {
    return;
  }
  const Element* rows = static_cast<const Element*>(attention.queries) +
                        attention.heads[slot] * attention.queryHeadStride +
                        (int64_t(sequence.firstQuery) + first) * attention.queryTokenStride;
  poolBlock(rows, attention.queryTokenStride, count, attention.headDim,
            params.meanQueries +
                heddle::indexRow(attention, blockIdx.z, slot, block) * attention.headDim);
}

template <class Element>
__device__ void poolKeys(const BlockSparseParams& params, int keyValueHead, int block) {
  const AttentionParams& attention = params.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const int first = block * kKeyColumns;
  const int count = min(kKeyColumns, sequence.keyTokens - first);
  if (count <= 0) {
    return;
  }
  const Element* rows = static_cast<const Element*>(attention.keys) +
                        keyValueHead * attention.keyHeadStride +
                        (int64_t(sequence.firstKey) + first) * attention.keyTokenStride;
  const int64_t head = int64_t(blockIdx.z) * params.keyValueHeads + keyValueHead;
  poolBlock(rows, attention.keyTokenStride, count, attention.headDim,
            params.meanKeys + (head * params.mostKeyBlocks + block) * attention.headDim);
}

// Grid: (key blocks / 8 rounded up, head slots and then key/value heads, sequences). Block: (32, 8), a
// warp per query block or key block; there are no more of the former than of the latter.
template <class Element>
__device__ void pool(const BlockSparseParams& params) {
  const int block = blockIdx.x * 8 + threadIdx.y;
  const int slots = params.attention.headSlots;
  if (blockIdx.y < slots) {
    poolQueries<Element>(params, blockIdx.y, block);
  } else {
    poolKeys<Element>(params, blockIdx.y - slots, block);
  }
}

constexpr int kScoreTile = 128;  // query blocks, and key blocks, that a thread block scores
constexpr int kScoreDims = 8;    // dimensions that it holds in shared memory at a time

// Some dimensions of the means of kScoreTile blocks.
struct ScoreDims {
  float values[kScoreDims][kScoreTile + 4];

  __device__ void store(const float4& four, float factor) {
    const int dim = threadIdx.x % 2 * 4;
    const int row = threadIdx.x / 2;
    values[dim][row] = four.x * factor;
    values[dim + 1][row] = four.y * factor;
    values[dim + 2][row] = four.z * factor;
    values[dim + 3][row] = four.w * factor;
  }

  // The numbers 4 place to 4 place + 3, and those 64 further on.
  __device__ void read(int dim, int place, float (&eight)[8]) const {
    *reinterpret_cast<float4*>(eight) = *reinterpret_cast<const float4*>(&values[dim][4 * place]);
    *reinterpret_cast<float4*>(eight + 4) =
        *reinterpret_cast<const float4*>(&values[dim][64 + 4 * place]);
  }
};

// Means of up to kScoreTile blocks in device memory; a thread loads 4 neighbouring dimensions of a row.
struct MeanRows {
  const float* first;
  int count;
  int headDim;

  __device__ float4 load(int firstDim) const {
    const int dim = firstDim + threadIdx.x % 2 * 4;
    const int row = threadIdx.x / 2;
    return row < count && dim < headDim ? loadFour(first + row * headDim + dim)
                                        : make_float4(0, 0, 0, 0);
  }
};

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

#define POOL_KERNEL(type, Element)                                                    \
  extern "C" __global__ void __launch_bounds__(256)                                   \
      heddle_block_sparse_pool_##type(const __grid_constant__ BlockSparseParams p) {  \
    pool<Element>(p);                                                                 \
  }

POOL_KERNEL(f16, heddle::Half)
POOL_KERNEL(bf16, heddle::BFloat)
POOL_KERNEL(f32, float)

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
      int64_t(attention.sequenceCount) * attention.headSlots * attention.mostQueryBlocks, nullptr);
}

// Scores of 128 query blocks with 128 key blocks: scores[row][block] = sum over dim, in order, of
// (scale * mean query) * mean key. Thread (x, y) of 16 x 16 has the rows 4 y to 4 y + 3 and those 64
// further on, and the blocks 4 x to 4 x + 3 and those 64 further on.
// Grid: (key blocks / 128, rows of the pass / 128, sequences * head slots), rounded up. Block: 256.
extern "C" __global__ void __launch_bounds__(256, 2)
    heddle_block_sparse_score(const __grid_constant__ BlockSparseParams p) {
  __shared__ ScoreDims queries;
  __shared__ ScoreDims keys;
  const AttentionParams& attention = p.attention;
  const int unit = blockIdx.z;
  const Sequence sequence = attention.sequences[unit / attention.headSlots];
  const int rows = (sequence.queryTokens + kQueryRows - 1) / kQueryRows;
  const int firstRow = p.firstRow + blockIdx.y * kScoreTile;
  const int endRow = min(min(firstRow + kScoreTile, rows), p.firstRow + p.passRows);
  if (firstRow >= endRow) {
    return;
  }
  const int visibleKeys = QueryBlock(sequence, endRow - 1).visibleKeys;
  const int firstKey = blockIdx.x * kScoreTile;
  const int endKey = min(firstKey + kScoreTile, (visibleKeys + kKeyColumns - 1) / kKeyColumns);
  if (firstKey >= endKey) {
    return;
  }
  const int headDim = attention.headDim;
  const int keyValueHead = attention.heads[unit % attention.headSlots] / attention.groupSize;
  const int64_t keyHead = int64_t(unit / attention.headSlots) * p.keyValueHeads + keyValueHead;
  const MeanRows meanQueries = {
      p.meanQueries + (int64_t(unit) * attention.mostQueryBlocks + firstRow) * headDim, endRow - firstRow,
      headDim};
  const MeanRows meanKeys = {p.meanKeys + (keyHead * p.mostKeyBlocks + firstKey) * headDim,
                             endKey - firstKey, headDim};
  const int x = threadIdx.x % 16;
  const int y = threadIdx.x / 16;
  float sums[8][8] = {};
  float4 nextQueries = meanQueries.load(0);
  float4 nextKeys = meanKeys.load(0);
  for (int firstDim = 0; firstDim < headDim; firstDim += kScoreDims) {
    __syncthreads();
    queries.store(nextQueries, attention.softmaxScale);
    keys.store(nextKeys, 1);
    __syncthreads();
    nextQueries = meanQueries.load(firstDim + kScoreDims);
    nextKeys = meanKeys.load(firstDim + kScoreDims);
#pragma unroll
    for (int dim = 0; dim < kScoreDims; dim++) {
      float q[8];
      float k[8];
      queries.read(dim, y, q);
      keys.read(dim, x, k);
#pragma unroll
      for (int i = 0; i < 64; i++) {
        sums[i / 8][i % 8] = fmaf(q[i / 8], k[i % 8], sums[i / 8][i % 8]);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 8; i++) {
    const int row = firstRow + i / 4 * 64 + y * 4 + i % 4;
    float* target = p.scores + (int64_t(unit) * p.passRows + row - p.firstRow) * p.mostKeyBlocks;
#pragma unroll
    for (int j = 0; j < 8; j += 4) {
      const int key = firstKey + j * 16 + x * 4;
      if (row < endRow && key < endKey) {
        *reinterpret_cast<float4*>(target + key) = {sums[i][j], sums[i][j + 1], sums[i][j + 2],
                                                    sums[i][j + 3]};
      }
    }
  }
}

// Lists the key blocks of a row: forced ones, and the greatest scores of those between.
// Grid: (head slots, rows of the pass, sequences). Block: 32 for each heddle::kWarpScores key blocks of the
// longest sequence, rounded up; at most 512.
extern "C" __global__ void __launch_bounds__(512)
    heddle_block_sparse_select(const __grid_constant__ BlockSparseParams p) {
  __shared__ heddle::RowTopScratch scratch;
  const AttentionParams& attention = p.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const int queryBlock = p.firstRow + blockIdx.y;
  if (queryBlock * kQueryRows >= sequence.queryTokens) {
    return;
  }
  const QueryBlock block(sequence, queryBlock);
  const RowBudget budget(attention, blockIdx.x, block);
  const int64_t unit = int64_t(blockIdx.z) * attention.headSlots + blockIdx.x;
  const int64_t row = heddle::indexRow(attention, blockIdx.z, blockIdx.x, queryBlock);
  int32_t* starts = attention.blockStarts + attention.blockOffsets[row];
  int32_t* columns = attention.columns + attention.columnOffsets[row];
  const int diagonals = budget.visibleBlocks - budget.firstDiagonal;
  const int blocks = budget.taken - (budget.restIsColumns ? 1 : 0);
  for (int i = threadIdx.x; i < blocks; i += blockDim.x) {
    const int fromEnd = budget.taken - i;
    if (i < budget.sinks || fromEnd <= diagonals) {
      starts[i] = (i < budget.sinks ? i : budget.visibleBlocks - fromEnd) * kKeyColumns;
    }
  }
  const float* scores =
      p.scores + (unit * p.passRows + blockIdx.y) * p.mostKeyBlocks + budget.sinks;
  heddle::takeTopOfRow(scores, budget.firstDiagonal - budget.sinks,
                       budget.taken - budget.sinks - diagonals, scratch, [&](int place, int i) {
                         starts[budget.sinks + place] = (budget.sinks + i) * kKeyColumns;
                       });
  if (budget.restIsColumns) {
    for (int i = threadIdx.x; i < budget.rest; i += blockDim.x) {
      columns[i] = block.visibleKeys - budget.rest + i;
    }
  }
}

HEDDLE_ATTENTION_KERNELS(block_sparse, heddle::RowKeys)
