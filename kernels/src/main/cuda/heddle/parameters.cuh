// What every kernel is told: tensors, strides, tables and index, passed by value as the only argument.
//
// The host fills these structs byte by byte, so their layout is fixed by the assertions below.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heddle {

// The tile that indices are built in: a row of an index speaks for kQueryRows neighbouring queries,
// and a block is kKeyColumns neighbouring keys.
constexpr int kQueryRows = 128;
constexpr int kKeyColumns = 64;
constexpr int kMapTokens = 64;

// An entry of blockStarts or columns is a key below 2^29, and may say that one half of its row's queries does
// not read the block or column: bit 29 for the first 64, bit 30 for the others. Columns that say so come last
// in their row. Neither where nothing is known: all read it.
constexpr int kHalfRows = kQueryRows / 2;
constexpr int kUnreadBit = 29;
constexpr int32_t kKeyBits = (1 << kUnreadBit) - 1;

__device__ inline int32_t unreadBy(int half) { return 1 << (kUnreadBit + half); }
__device__ inline bool isReadBy(int32_t entry, int half) { return (entry & unreadBy(half)) == 0; }

// The key of an entry; greater than every position if that half does not read it.
__device__ inline int positionFor(int half, int32_t entry) { return entry & (kKeyBits | unreadBy(half)); }

// One sequence of a packed batch. Rows count along the token axis of Q (and out, lse) and of K and V.
// The queries are the last queryTokens tokens of the keyTokens tokens.
struct alignas(16) Sequence {
  int32_t firstQuery;
  int32_t queryTokens;
  int32_t firstKey;
  int32_t keyTokens;
};

// What the kernels for compute capability 9.0 are told besides (null on other devices).
struct alignas(64) HopperTables {
  // Tensor maps of Q, K and V as (head, token, dim) in boxes of one head, kMapTokens tokens and 64 dims.
  unsigned char queries[128];
  unsigned char keys[128];
  unsigned char values[128];
  // The query tile that a thread block takes next. 0 before and after each launch.
  uint32_t nextTile;
};

// Q and out are [query head][query row][headDim], K and V [key/value head][key row][headDim], at the
// given strides in elements. Every row starts at a multiple of 16 bytes. headDim is a multiple of 8.
struct AttentionParams {
  const void* queries;
  const void* keys;
  const void* values;
  void* out;
  float* logSumExp;  // [query head][query row], natural logarithm; null when not wanted
  int64_t queryHeadStride;
  int64_t queryTokenStride;
  int64_t keyHeadStride;
  int64_t keyTokenStride;
  int64_t valueHeadStride;
  int64_t valueTokenStride;
  int64_t outHeadStride;
  int64_t outTokenStride;
  int64_t logSumExpHeadStride;
  const Sequence* sequences;  // [sequenceCount]
  const int32_t* heads;       // [headSlots], the query heads that this launch computes
  const int32_t* options;     // [headSlots][optionCount], the pattern's options of each head
  // The index as compressed rows. Row (sequence * headSlots + slot) * mostQueryBlocks + queryBlock
  // lists blockStarts[blockOffsets[row]] up to blockStarts[blockOffsets[row + 1]]; columns likewise.
  int64_t* blockOffsets;   // [rows + 1]
  int32_t* blockStarts;    // first keys of blocks of kKeyColumns keys, ascending in each row; see kUnreadBit
  int64_t* columnOffsets;  // [rows + 1]
  int32_t* columns;        // single keys, ascending in each row; see kUnreadBit
  int32_t sequenceCount;
  int32_t headSlots;
  int32_t mostQueryBlocks;  // of any sequence of the batch
  int32_t groupSize;        // query heads that share a key/value head
  int32_t optionCount;
  float softmaxScale;
  int32_t headDim;
  int32_t reserved;
  HopperTables* hopper;
};

static_assert(offsetof(AttentionParams, logSumExp) == 32);
static_assert(offsetof(AttentionParams, queryHeadStride) == 40);
static_assert(offsetof(AttentionParams, logSumExpHeadStride) == 104);
static_assert(offsetof(AttentionParams, sequences) == 112);
static_assert(offsetof(AttentionParams, blockOffsets) == 136);
static_assert(offsetof(AttentionParams, columns) == 160);
static_assert(offsetof(AttentionParams, sequenceCount) == 168);
static_assert(offsetof(AttentionParams, softmaxScale) == 188);
static_assert(offsetof(AttentionParams, headDim) == 192);
static_assert(offsetof(AttentionParams, hopper) == 200);
static_assert(sizeof(AttentionParams) == 208);
static_assert(offsetof(HopperTables, nextTile) == 384);
static_assert(sizeof(Sequence) == 16);

}  // namespace heddle
