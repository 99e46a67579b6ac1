// What thread blocks of the probe leave to be put together: statistics of chunks, and sums of places that
// reach into the next chunk.
#pragma once

#include "probe_scores.cuh"

namespace vertical_slash {

// Adds to the sum of an offset what the chunk before its place found, for the group with `behind`
// probes behind it. Returns the sum.
__device__ inline float addOverhang(const VerticalSlashParams& params, const Sequence& sequence,
                                    int64_t unit, int behind, int offset) {
  float* sum = params.offsetSums + unit * params.sumLength + offset;
  const int place = sequence.keyTokens - 1 - offset - behind;
  const int chunk = place / params.chunkKeys;
  const int inChunk = place % params.chunkKeys;
  if (place >= params.chunkKeys && inChunk < kTile - 1) {
    *sum += params.overhangs[(unit * params.chunks() + chunk - 1) * kTile + inChunk];
  }
  return *sum;
}

// statistics[probe] = greatest score, and logarithm of the sum, over all chunks. What the group before
// left over is added to its sums, and the counts that the selection adds to become zero.
// Grid: (head slots, 8, sequences). Block: 256, a warp per probe.
__device__ inline void combineStatistics(const VerticalSlashParams& params) {
  const AttentionParams& attention = params.attention;
  const Sequence sequence = attention.sequences[blockIdx.z];
  const Options options(attention, blockIdx.x);
  if (options.keepsAll(sequence.keyTokens)) {
    return;
  }
  const int64_t unit = params.unit(blockIdx.z, blockIdx.x);
  for (int i = blockIdx.y * 256 + threadIdx.x; i < 2 * kFirstDigits; i += gridDim.y * 256) {
    params.digitCounts[unit * 2 * kFirstDigits + i] = 0;
  }
  const int groupBefore = params.behind + kTile;
  if (options.probesOfGroup(sequence, groupBefore) > 0) {
    for (int i = blockIdx.y * 256 + threadIdx.x; i < sequence.keyTokens; i += gridDim.y * 256) {
      addOverhang(params, sequence, unit, groupBefore, i);
    }
  }
  const int probe = blockIdx.y * 8 + threadIdx.x / 32;
  if (probe < kTile - options.probesOfGroup(sequence, params.behind)) {
    return;
  }
  const int chunks = (sequence.keyTokens + params.chunkKeys - 1) / params.chunkKeys;
  const float2* partials = params.partials + (unit * kTile + probe) * params.chunks();
  float greatest = kNothing;
  for (int i = threadIdx.x % 32; i < chunks; i += 32) {
    greatest = fmaxf(greatest, partials[i].x);
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    greatest = fmaxf(greatest, __shfl_xor_sync(~0u, greatest, distance));
  }
  float sum = 0;
  for (int i = threadIdx.x % 32; i < chunks; i += 32) {
    sum += partials[i].y * exp2Fast(partials[i].x - greatest);
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(~0u, sum, distance);
  }
  if (!(sum > 0)) {  // all scores are -infinity, and count as equal
    greatest = -kGreatest;
    sum = sequence.keyTokens - params.behind - (kTile - 1 - probe);
  }
  if (threadIdx.x % 32 == 0) {
    params.statistics[unit * kTile + probe] = {greatest, log2f(sum)};
  }
}

}  // namespace vertical_slash
