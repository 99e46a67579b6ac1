// What the kernels of Vertical-Slash are told beyond the common parameters.
#pragma once

#include "heddle/lengths.cuh"

namespace vertical_slash {

constexpr int kTile = 64;         // probes, and keys, that a warp multiplies at a time
constexpr int kMostMembers = 4;   // of a team
constexpr int kWordKeys = 32;     // sums that a word says which are kept of
constexpr int kFirstBits = 13;    // of a sum's first digit in the selection
constexpr int kFirstDigits = 1 << kFirstBits;
constexpr int kLongRun = heddle::kKeyColumns / 2;  // neighbouring columns that become blocks

// Heads of one sequence that share a key/value head, and so each load of its keys. Only heads that are
// probed are in a team.
struct alignas(8) ProbeTeam {
  int32_t sequence;
  int32_t members;
  int32_t slots[kMostMembers];
};
static_assert(sizeof(ProbeTeam) == 24);

// A unit is one head of one sequence: number sequence * headSlots + slot. The probes of a unit, the last
// queries of its sequence, are taken in groups of 64, counted from the last one back. A place is a
// number that a key and a probe have in common with all that lie at the same offset: key + number of
// probes behind that probe; offset = keyTokens - 1 - place.
struct VerticalSlashParams {
  heddle::AttentionParams attention;
  const ProbeTeam* teams;
  float* columnSums;    // [unit][sumLength]
  float* offsetSums;    // [unit][sumLength]
  float* overhangs;     // [unit][chunk][64]: sums of a chunk's keys that belong to the next one's places
  float2* partials;     // [unit][64][chunk]: greatest score, sum of exponentials
  float2* statistics;   // [unit][64]: greatest score, logarithm of the sum of exponentials
  int32_t* columns;     // [unit][mostVerticals], those kept, ascending
  int32_t* offsets;     // [unit][mostSlashes], those kept, ascending
  uint2* words;         // [unit][columns, offsets][sumLength / 32 + 2]: which of 32 are kept; how many before
  int2* longRuns;       // [unit][mostVerticals / 32 + 1]: first and last of 32 or more neighbouring columns
  int2* offsetRuns;     // [unit][mostSlashes], of offsets whose parallelograms touch
  int2* tailRuns;       // likewise for a last query block that is not full
  int4* runCounts;      // [unit]: of longRuns, offsetRuns, tailRuns, and 0
  int64_t* totals;      // entries of all rows: blocks, columns
  uint32_t* digitCounts;  // [unit][columns, offsets][8192]: sums by their first digits
  int32_t sumLength;    // the most keys of any sequence, rounded up to whole chunks
  int32_t chunkKeys;    // keys that a part of a thread block probes, a multiple of 64
  int32_t behind;       // probes behind the group that is at work, a multiple of 64
  int32_t mostVerticals;
  int32_t mostSlashes;
  int32_t reserved;

  __device__ int64_t unit(int sequence, int slot) const {
    return int64_t(sequence) * attention.headSlots + slot;
  }
  __device__ int chunks() const { return sumLength / chunkKeys; }
  __device__ uint2* wordsOf(int64_t unit, bool ofOffsets) const {
    return words + (2 * unit + ofOffsets) * (sumLength / kWordKeys + 2);
  }
  __device__ int2* longRunsOf(int64_t unit) const {
    return longRuns + unit * (mostVerticals / kLongRun + 1);
  }
};
constexpr int kOwnAt = sizeof(heddle::AttentionParams);
static_assert(offsetof(VerticalSlashParams, teams) == kOwnAt);
static_assert(offsetof(VerticalSlashParams, statistics) == kOwnAt + 40);
static_assert(offsetof(VerticalSlashParams, words) == kOwnAt + 64);
static_assert(offsetof(VerticalSlashParams, totals) == kOwnAt + 104);
static_assert(offsetof(VerticalSlashParams, mostSlashes) == kOwnAt + 136);
static_assert(sizeof(VerticalSlashParams) == kOwnAt + 144);

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

  __device__ int columns() const { return max(verticals, sink); }
  __device__ int offsets() const { return max(slashes, local); }

  // How many probes of the group with `behind` probes behind it there are; not positive for none.
  __device__ int probesOfGroup(const heddle::Sequence& sequence, int behind) const {
    return min(kTile, min(probeQueries, sequence.queryTokens) - behind);
  }

  // Whether every query reads every key: then nothing is probed.
  __device__ bool keepsAll(int keyTokens) const {
    return columns() >= keyTokens || offsets() >= keyTokens || int64_t(sink) + local >= keyTokens;
  }
};

}  // namespace vertical_slash
