// From scores to rows of the index: what each query block keeps, counted, then listed.
#pragma once

#include <cmath>

#include "heddle/scan.cuh"
#include "x_attention_params.cuh"
#include "heddle/elements.cuh"

namespace xattention {

constexpr int kSelectThreads = 256;
constexpr int kMostRows = 16;  // strided rows of a query block, at stride 8

// What is known of an index row before any score.
struct RowBounds {
  int visibleBlocks;   // key blocks of which the last query sees at least one key
  int firstDiagonal;   // the first key block that not all queries see whole
  int sinks;           // key blocks that are forced at the start
  int rest;            // keys that the row reads of a last block cut off by the diagonal, if so few...
  bool restIsColumns;  // ... that they are listed as columns

  __device__ RowBounds(const QueryBlock& block, int sinkBlocks) {
    visibleBlocks = (block.visibleKeys + kKeyColumns - 1) / kKeyColumns;
    firstDiagonal = block.firstPosition / kKeyColumns;
    sinks = min(sinkBlocks, firstDiagonal);
    rest = block.visibleKeys % kKeyColumns;
    restIsColumns = rest > 0 && 2 * rest < kKeyColumns;
  }

  __device__ bool isForced(int keyBlock) const { return keyBlock < sinks || keyBlock >= firstDiagonal; }
};

struct SelectMemory {
  static constexpr int kMasses = 8192;

  float masses[kMasses];  // of rows with so few key blocks; longer ones use the scores' memory
  float norms[kMostRows];
  float sums[2][kSelectThreads / 32];
  int counts[2][kSelectThreads / 32];
};

__device__ inline float sumOfWarp(float value) {
  for (int distance = 16; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(~0u, value, distance);
  }
  return value;
}

// Sums over a thread block. `turn` alternates from call to call, so that one barrier is enough.
__device__ inline float sumOfBlock(float value, float (&sums)[2][kSelectThreads / 32], int turn) {
  value = sumOfWarp(value);
  if (threadIdx.x % 32 == 0) {
    sums[turn][threadIdx.x / 32] = value;
  }
  __syncthreads();
  float total = 0;
  for (int warp = 0; warp < kSelectThreads / 32; warp++) {
    total += sums[turn][warp];
  }
  return total;
}

// norm = log2 of the sum of 2^log over a row, by one warp.
__device__ inline float normOf(const float* logs, int count) {
  float greatest = -INFINITY;
  for (int i = threadIdx.x % 32; i < count; i += 32) {
    greatest = fmaxf(greatest, logs[i]);
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    greatest = fmaxf(greatest, __shfl_xor_sync(~0u, greatest, distance));
  }
  float sum = 0;
  for (int i = threadIdx.x % 32; i < count; i += 32) {
    sum += heddle::exp2Fast(logs[i] - greatest);
  }
  return greatest + __log2f(sumOfWarp(sum));
}

// The least mass that is taken, as the bits of a float (masses are not negative, so bits order them), and
// how many blocks of just that mass are.
struct MassThreshold {
  uint32_t bits;
  int equalsTaken;
};

// Finds the fewest of the masses, greatest first, that sum up to `needed`, which is positive.
__device__ inline MassThreshold findThreshold(const float* masses, int count, float needed, SelectMemory& memory) {
  uint32_t least = 1;                // from here on the masses reach what is needed, or none do...
  uint32_t tooGreat = 0x7f800000u;   // ... and from here on they do not
  int turn = 0;
  float above = 0;
  while (tooGreat - least > 1) {
    const uint32_t middle = least + (tooGreat - least) / 2;
    float sum = 0;
    for (int i = threadIdx.x; i < count; i += kSelectThreads) {
      sum += __float_as_uint(masses[i]) >= middle ? masses[i] : 0.f;
    }
    sum = sumOfBlock(sum, memory.sums, turn);
    turn ^= 1;
    if (sum >= needed) {
      least = middle;
    } else {
      tooGreat = middle;
      above = sum;
    }
  }
  __syncthreads();
  const float equals = ceilf((needed - above) / __uint_as_float(least));
  return {least, equals < float(1 << 24) ? max(1, int(equals)) : 1 << 24};
}

// Marks what a query block keeps, and counts it. The blocks kept are the forced ones and the fewest of the
// others, greatest first, so that together they have the threshold's share of the mass: of the softmax
// weights of the block's strided rows.
// Grid: (head slots, query blocks of the pass, sequences). Block: kSelectThreads.
__device__ inline void select(const XAttentionParams& params, SelectMemory& memory) {
  const AttentionParams& attention = params.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const int slot = blockIdx.x;
  const int queryBlock = params.firstBlock + blockIdx.y;
  if (queryBlock >= attention.mostQueryBlocks) {
    return;
  }
  const int64_t indexRow = heddle::indexRow(attention, blockIdx.z, slot, queryBlock);
  if (queryBlock * kQueryRows >= sequence.queryTokens) {
    if (threadIdx.x == 0) {
      attention.blockOffsets[indexRow + 1] = 0;
      attention.columnOffsets[indexRow + 1] = 0;
    }
    return;
  }
  const HeadOptions options(attention, slot);
  const QueryBlock block(sequence, queryBlock);
  const RowBounds bounds(block, options.sinkBlocks);
  const int queries = block.visibleKeys - block.firstPosition;
  const int rows = (queries + options.stride - 1) / options.stride;
  const int64_t unit = int64_t(blockIdx.z) * attention.headSlots + slot;
  const int64_t firstRow = unit * params.passRows + blockIdx.y * (kQueryRows / options.stride);
  float* logs = params.blockLogs + firstRow * params.mostKeyBlocks;
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  for (int row = warp; row < rows; row += kSelectThreads / 32) {
    const float norm = normOf(logs + int64_t(row) * params.mostKeyBlocks, bounds.visibleBlocks);
    if (lane == 0) {
      memory.norms[row] = norm;
    }
  }
  __syncthreads();
  float* masses = bounds.visibleBlocks <= SelectMemory::kMasses ? memory.masses : logs;
  float forced = 0;
  for (int i = threadIdx.x; i < bounds.visibleBlocks; i += kSelectThreads) {
    float mass = 0;
    for (int row = 0; row < rows; row++) {
      mass += heddle::exp2Fast(logs[int64_t(row) * params.mostKeyBlocks + i] - memory.norms[row]);
    }
    const bool isForced = bounds.isForced(i);
    forced += isForced ? mass : 0.f;
    masses[i] = isForced ? 0.f : mass;
  }
  forced = sumOfBlock(forced, memory.sums, 1);
  const float needed = options.threshold * rows - forced;
  MassThreshold threshold = {~0u, 0};
  if (needed > 0) {
    threshold = findThreshold(masses, bounds.visibleBlocks, needed, memory);
  }
  uint32_t* kept = params.kept + indexRow * params.keptWords;
  int equals = 0;  // before this round's places
  int taken = 0;   // by this thread's warp
  for (int first = 0; first < bounds.visibleBlocks; first += kSelectThreads) {
    const int i = first + threadIdx.x;
    const bool isThere = i < bounds.visibleBlocks;
    const uint32_t bits = isThere ? __float_as_uint(masses[i]) : 0;
    const uint32_t equalMask = __ballot_sync(~0u, bits == threshold.bits);
    const int turn = first / kSelectThreads % 2;
    if (lane == 0) {
      memory.counts[turn][warp] = __popc(equalMask);
    }
    __syncthreads();
    int before = equals;
    for (int other = 0; other < kSelectThreads / 32; other++) {
      before += other < warp ? memory.counts[turn][other] : 0;
      equals += memory.counts[turn][other];
    }
    before += __popc(equalMask & ((1u << lane) - 1));
    const bool isKept = isThere && (bounds.isForced(i) || bits > threshold.bits ||
                                    (bits == threshold.bits && before < threshold.equalsTaken));
    const uint32_t keptMask = __ballot_sync(~0u, isKept);
    taken += __popc(keptMask);
    if (lane == 0 && i < bounds.visibleBlocks) {
      kept[i / 32] = keptMask;
    }
  }
  __syncthreads();
  if (lane == 0) {
    memory.counts[0][warp] = taken;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    int blocks = 0;
    for (int other = 0; other < kSelectThreads / 32; other++) {
      blocks += memory.counts[0][other];
    }
    attention.blockOffsets[indexRow + 1] = blocks - (bounds.restIsColumns ? 1 : 0);
    attention.columnOffsets[indexRow + 1] = bounds.restIsColumns ? bounds.rest : 0;
  }
}

// Lists what is marked. Grid: (query blocks / 8 rounded up, head slots, sequences). Block: 256, a warp for
// each query block.
__device__ inline void emit(const XAttentionParams& params) {
  const AttentionParams& attention = params.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const int lane = threadIdx.x % 32;
  const int queryBlock = blockIdx.x * 8 + threadIdx.x / 32;
  if (queryBlock * kQueryRows >= sequence.queryTokens) {
    return;
  }
  const QueryBlock block(sequence, queryBlock);
  const RowBounds bounds(block, 0);
  const int64_t indexRow = heddle::indexRow(attention, blockIdx.z, blockIdx.y, queryBlock);
  const uint32_t* kept = params.kept + indexRow * params.keptWords;
  int32_t* starts = attention.blockStarts + attention.blockOffsets[indexRow];
  const int words = (bounds.visibleBlocks + 31) / 32;
  for (int first = 0; first < words; first += 32) {
    const int word = first + lane;
    uint32_t bits = word < words ? kept[word] : 0;
    if (bounds.restIsColumns && word == (bounds.visibleBlocks - 1) / 32) {
      bits &= ~(1u << (bounds.visibleBlocks - 1) % 32);
    }
    const int own = __popc(bits);
    const int end = heddle::sumUpToLane(own);
    int32_t* target = starts + end - own;
    while (bits != 0) {
      *target++ = (word * 32 + __ffs(bits) - 1) * kKeyColumns;
      bits &= bits - 1;
    }
    starts += __shfl_sync(~0u, end, 31);
  }
  if (bounds.restIsColumns) {
    int32_t* columns = attention.columns + attention.columnOffsets[indexRow];
    for (int i = lane; i < bounds.rest; i += 32) {
      columns[i] = block.visibleKeys - bounds.rest + i;
    }
  }
}

}  // namespace xattention
