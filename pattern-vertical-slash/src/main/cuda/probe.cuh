// What the last queries of a prompt attend to: their softmax rows, summed by column and by offset.
//
// With s = scale q . k for the probe query at position p and key j <= p, m its greatest score and z its
// sum of exp(s - m) over all its keys,
//
//     w = max(exp(s - m) / z, exp(-60)),     columnSums[j] = sum over p of w,     offsetSums[p - j] likewise.
//
// Two passes over K: the first finds m and z of each chunk of keys (then combined), the second computes
// the scores again and adds up. Scores are never stored: to compute them twice costs less than to write
// and read them. As on the host, NaN counts as the lowest score and infinities as the greatest finite
// ones. Everything is added in an order of its own, so that results are the same on every run.
//
// The heads of a team share each tile of keys in shared memory; a warp has one head's 64 probes. The
// thread block has two parts (float32: one), each with a chunk of keys; they take turns at the tensor
// cores, so that one multiplies while the other works on its scores. Scores are kept times log2(e), for
// exp2.
//
// Grid: (teams, chunks of keys / ProbeShape::kParts rounded up). Block: 32 * kParts * members of the
// largest team. Dynamic shared memory: a tile for each member, and one of keys for each part.
#pragma once

#include "heddle/online_softmax.cuh"
#include "probe_tile.cuh"

namespace vertical_slash {

using heddle::AttentionParams;
using heddle::Sequence;
using heddle::exp2Fast;

constexpr int kTurnBarrier = 1;  // and the next number, for the second part
constexpr int kPartBarrier = 3;  // likewise
constexpr float kLeastWeight = 8.756510763e-27f;  // exp(-60)
constexpr float kGreatest = 1.329227996e36f;      // 2^120: what stands for an infinite score
constexpr float kNothing = -2 * kGreatest;        // below every score

// Combines what `of` yields for a thread's keys, in pairs: a chain would be one long wait.
template <class Of, class Combine>
__device__ __forceinline__ float overKeys(Of of, Combine combine) {
  static_assert(kThreadKeys == 8);
  return combine(combine(combine(of(0), of(1)), combine(of(2), of(3))),
                 combine(combine(of(4), of(5)), combine(of(6), of(7))));
}

// Sums eight numbers over the four lanes of a quad; lane q gets the sums of numbers 2 q and 2 q + 1.
__device__ inline float2 sumOverQuad(const float (&numbers)[8]) {
  const bool upper = threadIdx.x & 2;
  const bool odd = threadIdx.x & 1;
  float four[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const float given = upper ? numbers[i] : numbers[i + 4];
    four[i] = (upper ? numbers[i + 4] : numbers[i]) + __shfl_xor_sync(~0u, given, 2);
  }
  float two[2];
#pragma unroll
  for (int i = 0; i < 2; i++) {
    const float given = odd ? four[i] : four[i + 2];
    two[i] = (odd ? four[i + 2] : four[i]) + __shfl_xor_sync(~0u, given, 1);
  }
  return {two[0], two[1]};
}

// Sums along the diagonals of tiles that follow one another. A diagonal is a place: number
// 64 * tile + d holds the keys k of any tile and probes p with 64 * (that tile) + k - p + 63 = 64 * tile + d.
struct Diagonals {
  float carry[8];  // of the next tile's places, as far as this tile adds to them

  __device__ Diagonals() {
#pragma unroll
    for (int i = 0; i < 8; i++) {
      carry[i] = 0;
    }
  }

  // Adds a tile, and returns the sums of its places 8 g + 2 q and 8 g + 2 q + 1: no later tile adds to
  // them. `sums[i]` are this thread's, with 8 g - 16 q + 48 + i for d. Those of i = 8 c to 8 c + 7 go to
  // the lane with (g - 2 q + c + 6) % 8 for g, and to the next tile where that wraps around.
  __device__ float2 add(const float (&sums)[24]) {
    const int q = threadIdx.x % 4;
    const int g = threadIdx.x % 32 / 4;
    float complete[8];
#pragma unroll
    for (int i = 0; i < 8; i++) {
      complete[i] = carry[i];
      carry[i] = 0;
    }
#pragma unroll
    for (int c = 0; c < 3; c++) {
      const int from = (g + 2 * q - c + 2) & 7;
      const bool wraps = from - 2 * q + c + 6 >= 8;
#pragma unroll
      for (int i = 0; i < 8; i++) {
        if (8 * c + i < kThreadKeys + kThreadProbes - 1) {
          const float sum = __shfl_sync(~0u, sums[8 * c + i], from * 4 + q);
          complete[i] += wraps ? 0 : sum;
          carry[i] += wraps ? sum : 0;
        }
      }
    }
    return sumOverQuad(complete);
  }
};

__device__ inline void waitAtBarrier(int number, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
}

// Counts as having come to a barrier at which other threads wait.
__device__ inline void passBarrier(int number, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(number), "r"(threads) : "memory");
}

// One part's chunk of keys, with one group of the probes of one team.
template <class Element, int HeadDim>
struct Probe {
  using Shape = ProbeShape<Element, HeadDim>;

  const VerticalSlashParams& params;
  unsigned char* memory;
  Sequence sequence;
  int members;   // of the largest team: warps of a part
  int part;      // of this thread's warp
  int member;    // likewise
  int probes;    // likewise, in the group; not positive if it has none
  int chunk;
  int firstKey;
  int endKey;
  float factor;  // score times log2(e) = product times factor
  HeadRows keys;

  __device__ Probe(const VerticalSlashParams& parameters, unsigned char* sharedMemory)
      : params(parameters), memory(sharedMemory) {
    const AttentionParams& attention = params.attention;
    const ProbeTeam& team = params.teams[blockIdx.x];
    sequence = attention.sequences[team.sequence];
    members = blockDim.x / (32 * Shape::kParts);
    part = threadIdx.x / (32 * members);
    member = threadIdx.x / 32 - part * members;
    const int slot = team.slots[min(member, team.members - 1)];
    probes = member < team.members
                 ? Options(attention, slot).probesOfGroup(sequence, params.behind)
                 : 0;
    chunk = blockIdx.y * Shape::kParts + part;
    firstKey = chunk * params.chunkKeys;
    endKey = min(firstKey + params.chunkKeys, sequence.keyTokens);
    probes = firstKey < endKey ? probes : 0;
    factor = attention.softmaxScale * heddle::kLog2E;
    keys = HeadRows::of<Element>(attention.keys, attention.heads[slot] / attention.groupSize,
                                 attention.keyHeadStride, sequence.firstKey, attention.keyTokenStride);
  }

  // Of this thread's warp. Asked for anew each time: it would take registers.
  __device__ int64_t unit() const {
    const ProbeTeam& team = params.teams[blockIdx.x];
    return params.unit(team.sequence, team.slots[min(member, team.members - 1)]);
  }

  // Whether the first part of this thread block has keys.
  __device__ bool isEmpty() const {
    return blockIdx.y * Shape::kParts * params.chunkKeys >= sequence.keyTokens;
  }

  // Calls use(first key of the tile, its scores) for each tile of the chunk, in the warps that have
  // probes. The copy of the next tile runs meanwhile.
  template <class Use>
  __device__ void forTiles(Use use) const {
    unsigned char* const keyTile = memory + (members + part) * Shape::kTileBytes;
    const int threads = 32 * members;
    // Warps of both parts share a scheduler, and so need turns, if a part has a multiple of 4.
    const bool takesTurns = Shape::kParts == 2 && members == 4;
    const int firstOfBlock = firstKey - part * params.chunkKeys;
    const int steps =
        (min(params.chunkKeys, sequence.keyTokens - firstOfBlock) + kTile - 1) / kTile;
    Scores scores;
    loadQueries();
    loadKeys(keyTile, firstKey);
    heddle::waitForCopies();
    __syncthreads();
    if (takesTurns && part == 1) {
      passBarrier(kTurnBarrier, 2 * threads);
    }
    for (int step = 0; step < steps; step++) {
      const int tile = firstKey + step * kTile;
      heddle::waitForCopies();
      waitAtBarrier(kPartBarrier + part, threads);
      if (takesTurns) {
        waitAtBarrier(kTurnBarrier + part, 2 * threads);
      }
      if (probes > 0) {
        multiply<Element, HeadDim>(scores, memory + member * Shape::kTileBytes, keyTile);
      }
      if (takesTurns && (part == 0 || step + 1 < steps)) {
        passBarrier(kTurnBarrier + 1 - part, 2 * threads);
      }
      waitAtBarrier(kPartBarrier + part, threads);
      if (step + 1 < steps) {
        loadKeys(keyTile, tile + kTile);
      }
      if (probes > 0 && tile < endKey) {
        use(tile, scores);
      }
    }
    __syncthreads();
  }

  __device__ void loadKeys(unsigned char* target, int first) const {
    loadRows<Element, HeadDim>(target, keys, first, first, endKey, params.attention.headDim,
                               threadIdx.x - 32 * members * part, 32 * members, rowOfKey);
  }

  // All threads of the block copy the probes of one member after the other.
  __device__ void loadQueries() const {
    const AttentionParams& attention = params.attention;
    const ProbeTeam& team = params.teams[blockIdx.x];
    const int end = sequence.queryTokens - params.behind;
    for (int i = 0; i < team.members; i++) {
      const int slot = team.slots[i];
      const HeadRows rows = HeadRows::of<Element>(attention.queries, attention.heads[slot],
                                                  attention.queryHeadStride, sequence.firstQuery,
                                                  attention.queryTokenStride);
      const int count = Options(attention, slot).probesOfGroup(sequence, params.behind);
      loadRows<Element, HeadDim>(memory + i * Shape::kTileBytes, rows, end - kTile, end - count, end,
                                 attention.headDim, threadIdx.x, blockDim.x, rowOfProbe);
    }
  }

  // Replaces the scores of keys that a probe does not see, and of probes that there are not.
  __device__ void mask(int tile, Scores& scores, float replacement) const {
    const int g = threadIdx.x % 32 / 4;
    const int q = threadIdx.x % 4;
    // Probe p of the group sees key k of the tile if k - p is at most this.
    const int reach = sequence.keyTokens - params.behind - tile - kTile;
    if (reach >= kTile - 1 && probes == kTile) {
      return;
    }
    const int ownReach = reach - 8 * g + 16 * q;
    const int firstProbe = kTile - probes - 16 * q;
    scores.forEach([&](int key, int probe, float& score) {
      score = key - probe <= ownReach && probe >= firstProbe ? score : replacement;
    });
  }

  // Makes of products scores without NaN and infinity.
  __device__ void makeFinite(Scores& scores) const {
    scores.forEach([&](int, int, float& score) {
      score = fminf(fmaxf(score * factor, -kGreatest), kGreatest);
    });
  }

  // partials[probe][chunk] = greatest score and sum of exponentials in this chunk. Where these are not
  // finite, once more with scores made so.
  __device__ void findStatistics() const {
    float greatest[kThreadProbes];
    float sum[kThreadProbes];
    bool finite = findStatistics(false, greatest, sum);
    if (!__syncthreads_and(finite)) {
      findStatistics(true, greatest, sum);
    }
    if (probes <= 0) {
      return;
    }
    const int lane = threadIdx.x % 32;
    float2* partials = params.partials + unit() * kTile * params.chunks() + chunk;
#pragma unroll
    for (int i = 0; i < kThreadProbes; i++) {
      float all = greatest[i];
#pragma unroll
      for (int distance = 4; distance < 32; distance *= 2) {
        all = fmaxf(all, __shfl_xor_sync(~0u, all, distance));
      }
      sum[i] *= exp2Fast(greatest[i] - all);
#pragma unroll
      for (int distance = 4; distance < 32; distance *= 2) {
        sum[i] += __shfl_xor_sync(~0u, sum[i], distance);
      }
      if (lane / 4 == i / 2) {
        const int probe = lane % 4 * 16 + i;
        partials[int64_t(probe) * params.chunks()] = {all, sum[i]};
      }
    }
  }

  // Of this thread's keys; returns whether its sums are finite.
  __device__ bool findStatistics(bool careful, float (&greatest)[kThreadProbes],
                                 float (&sum)[kThreadProbes]) const {
#pragma unroll
    for (int i = 0; i < kThreadProbes; i++) {
      greatest[i] = kNothing;
      sum[i] = 0;
    }
    const float scale = careful ? 1 : factor;
    forTiles([&](int tile, Scores& scores) {
      if (careful) {
        makeFinite(scores);
      }
      mask(tile, scores, -INFINITY);
#pragma unroll
      for (int i = 0; i < kThreadProbes; i++) {
        const auto score = [&](int key) { return scores.at(key, i); };
        float most = overKeys(score, [](float a, float b) { return fmaxf(a, b); });
        most = fmaxf(greatest[i], most * scale);
        const auto power = [&](int key) { return exp2Fast(fmaf(scores.at(key, i), scale, -most)); };
        const float added = overKeys(power, [](float a, float b) { return a + b; });
        sum[i] = fmaf(sum[i], exp2Fast(greatest[i] - most), added);
        greatest[i] = most;
      }
    });
    bool finite = true;
#pragma unroll
    for (int i = 0; i < kThreadProbes; i++) {
      finite &= sum[i] < INFINITY;
    }
    return finite;
  }

  // Adds the weights of the group to the sums.
  __device__ void addWeights() const {
    const int lane = threadIdx.x % 32;
    const float2* statistics = params.statistics + unit() * kTile + lane % 4 * 16;
    bool infinite = false;
    float base[kThreadProbes];
#pragma unroll
    for (int i = 0; i < kThreadProbes; i++) {
      const bool valid = probes > 0 && lane % 4 * 16 + i >= kTile - probes;
      const float2 ofProbe = valid ? statistics[i] : make_float2(0, 0);
      infinite |= fabsf(ofProbe.x) >= kGreatest / 2;
      base[i] = ofProbe.x + ofProbe.y;
    }
    const bool careful = __any_sync(~0u, infinite);
    if (careful) {
#pragma unroll
      for (int i = 0; i < kThreadProbes; i++) {
        base[i] = lane % 4 * 16 + i >= kTile - probes ? statistics[i].y : 0;
      }
    }
    const float scale = careful ? 1 : factor;
    Diagonals diagonals;
    forTiles([&](int tile, Scores& scores) {
      if (careful) {
        makeFinite(scores);
        scores.forEach([&](int, int i, float& score) {
          score -= lane % 4 * 16 + i >= kTile - probes ? statistics[i].x : 0;
        });
      }
      scores.forEach([&](int, int i, float& score) {
        score = fmaxf(exp2Fast(fmaf(score, scale, -base[i])), kLeastWeight);
      });
      mask(tile, scores, 0);
      addTile(tile, scores, diagonals);
    });
    if (probes > 0) {
      const float nothing[24] = {};
      float* overhang = params.overhangs + (unit() * params.chunks() + chunk) * kTile;
      reinterpret_cast<float2*>(overhang)[lane] = diagonals.add(nothing);
    }
  }

  // Lane l completes columns, and places, 2 l and 2 l + 1 of the tile. The first group of probes that a
  // unit has begins the sums.
  __device__ void addTile(int tile, Scores& scores, Diagonals& diagonals) const {
    float byColumn[kThreadKeys] = {};
    float byDiagonal[24] = {};
    scores.forEach([&](int key, int probe, float& weight) {
      byColumn[key] += weight;
      byDiagonal[key - probe + kThreadProbes - 1] += weight;
    });
    const float2 columns = sumOverQuad(byColumn);
    const float2 places = diagonals.add(byDiagonal);
    const int lane = threadIdx.x % 32;
    const bool first = isFirstGroup();
    const int64_t firstSum = unit() * params.sumLength;
    float2* columnSums = reinterpret_cast<float2*>(params.columnSums + firstSum + tile) + lane;
    const float2 before = first ? make_float2(0, 0) : *columnSums;
    *columnSums = {before.x + columns.x, before.y + columns.y};
    float* offsetSums = params.offsetSums + firstSum;
    const int offset = sequence.keyTokens - 1 - (tile + params.behind + 2 * lane);
    if (offset >= 0) {
      offsetSums[offset] = (first ? 0 : offsetSums[offset]) + places.x;
    }
    if (offset >= 1) {
      offsetSums[offset - 1] = (first ? 0 : offsetSums[offset - 1]) + places.y;
    }
  }

  __device__ bool isFirstGroup() const {
    const int slot = params.teams[blockIdx.x].slots[member];
    return Options(params.attention, slot).probesOfGroup(sequence, params.behind + kTile) <= 0;
  }
};

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
