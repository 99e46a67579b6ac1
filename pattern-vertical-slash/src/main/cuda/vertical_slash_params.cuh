// What the kernels of Vertical-Slash are told beyond the common parameters.
#pragma once

#include "heddle/lengths.cuh"

namespace vertical_slash {

constexpr int kChunkKeys = 512;  // keys that a thread block probes
constexpr int kGroup = 64;       // probe queries, and keys, that are multiplied at a time

// A unit is one head of one sequence: number sequence * headSlots + slot.
struct VerticalSlashParams {
  heddle::AttentionParams attention;
  float* columnSums;   // [unit][mostKeyTokens]
  float* offsetSums;   // [unit][mostKeyTokens]
  float2* partials;    // [unit][mostProbes][mostKeyTokens / kChunkKeys rounded up]
  float2* statistics;  // [unit][mostProbes]: greatest score, 1 / sum of exponentials
  int32_t* columns;    // [unit][mostVerticals], those kept, ascending
  int32_t* offsets;    // [unit][mostSlashes], those kept, ascending
  int2* columnRuns;    // [unit][mostVerticals], first and last of neighbouring columns
  int2* offsetRuns;    // [unit][mostSlashes], of offsets whose parallelograms touch
  int2* tailRuns;      // likewise for a last query block that is not full
  int4* runCounts;     // [unit]: of columnRuns, offsetRuns, tailRuns, and 0
  int32_t mostKeyTokens;
  int32_t mostProbes;
  int32_t mostVerticals;
  int32_t mostSlashes;
};
static_assert(offsetof(VerticalSlashParams, columnSums) == sizeof(heddle::AttentionParams));
static_assert(offsetof(VerticalSlashParams, columns) == sizeof(heddle::AttentionParams) + 32);
static_assert(offsetof(VerticalSlashParams, runCounts) == sizeof(heddle::AttentionParams) + 72);
static_assert(offsetof(VerticalSlashParams, mostKeyTokens) == sizeof(heddle::AttentionParams) + 80);
static_assert(sizeof(VerticalSlashParams) == sizeof(heddle::AttentionParams) + 96);

// The options of one head, in the order in which the pattern declares them.
struct Options {
  int verticals;
  int slashes;
  int probeQueries;
  int sink;
  int local;

  __device__ Options(const heddle::AttentionParams& params, int slot) {
    const int32_t* values = params.options + slot * params.optionCount;
    verticals = values[0];
    slashes = values[1];
    probeQueries = values[2];
    sink = values[3];
    local = values[4];
  }

  __device__ int probes(const heddle::Sequence& sequence) const {
    return min(probeQueries, sequence.queryTokens);
  }

  // Whether every query reads every key: then nothing is probed.
  __device__ bool keepsAll(int keyTokens) const {
    return max(verticals, sink) >= keyTokens || max(slashes, local) >= keyTokens ||
           int64_t(sink) + local >= keyTokens;
  }
};

}  // namespace vertical_slash
