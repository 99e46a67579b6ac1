// What the kernels of XAttention are told, and how they count.
#pragma once

#include "heddle/lengths.cuh"

namespace xattention {

using heddle::AttentionParams;
using heddle::kKeyColumns;
using heddle::kQueryRows;
using heddle::QueryBlock;
using heddle::Sequence;

struct XAttentionParams {
  AttentionParams attention;
  // [sequence * headSlots + slot][passRows][mostKeyBlocks]: log2 of the sum of 2^score over a key block's
  // strided keys, for the strided rows of this pass.
  float* blockLogs;
  uint32_t* kept;   // [index row][keptWords], a bit per key block
  int64_t* totals;  // [2]: entries of all rows, of blocks and of columns
  int32_t mostKeyBlocks;  // of any sequence
  int32_t keptWords;
  int32_t firstBlock;  // query block with which this pass begins
  int32_t passBlocks;
  int32_t passRows;  // strided rows of passBlocks query blocks at the least stride of any head
  int32_t reserved;
};
static_assert(offsetof(XAttentionParams, blockLogs) == sizeof(AttentionParams));
static_assert(offsetof(XAttentionParams, mostKeyBlocks) == sizeof(AttentionParams) + 24);
static_assert(sizeof(XAttentionParams) == sizeof(AttentionParams) + 48);

// options[slot]: {stride, threshold, sink-blocks}.
struct HeadOptions {
  int stride;  // a power of two
  float threshold;
  int sinkBlocks;

  __device__ HeadOptions(const AttentionParams& attention, int slot) {
    const int32_t* own = attention.options + slot * attention.optionCount;
    stride = 1 << (31 - __clz(own[0]));
    threshold = __int_as_float(own[1]);
    sinkBlocks = own[2];
  }
};

}  // namespace xattention
