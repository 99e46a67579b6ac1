// What a warp does with the scores of 64 keys with the 64 probes of one head.
//
// With s = scale q . k for the probe query at position p and key j <= p, m its greatest score and z its
// sum of exp(s - m) over all its keys,
//
//     w = max(exp(s - m) / z, exp(-60)),     columnSums[j] = sum over p of w,     offsetSums[p - j] likewise.
//
// As on the host, NaN counts as the lowest score and infinities as the greatest finite ones. Everything is
// added in an order of its own, so that results are the same on every run. Scores are kept times log2(e), for
// exp2.
#pragma once

#include "heddle/online_softmax.cuh"
#include "probe_tile.cuh"

namespace vertical_slash {

using heddle::AttentionParams;
using heddle::exp2Fast;

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

// One member of the thread block's team: the probes of its head in the group at work, and a chunk of keys.
struct HeadProbes {
  const VerticalSlashParams& params;
  Sequence sequence;
  int member;
  int chunk;
  int endKey;  // of the chunk
  int probes;  // in the group; not positive if there are none, or no keys
  float factor;  // score times log2(e) = product times factor

  __device__ HeadProbes(const VerticalSlashParams& parameters, int ofTeam, int ofKeys)
      : params(parameters),
        sequence(parameters.attention.sequences[parameters.teams[blockIdx.x].sequence]),
        member(ofTeam),
        chunk(ofKeys),
        endKey(min((ofKeys + 1) * parameters.chunkKeys, sequence.keyTokens)),
        factor(parameters.attention.softmaxScale * heddle::kLog2E) {
    const bool isThere =
        member < params.teams[blockIdx.x].members && chunk * params.chunkKeys < sequence.keyTokens;
    probes = isThere ? Options(params.attention, slot()).probesOfGroup(sequence, params.behind) : 0;
  }

  // Asked for anew each time: it would take registers.
  __device__ int slot() const { return params.teams[blockIdx.x].slots[member]; }
  __device__ int64_t unit() const { return params.unit(params.teams[blockIdx.x].sequence, slot()); }

  // Whether it has scores with the keys from `tile` on.
  __device__ bool reads(int tile) const { return probes > 0 && tile < endKey; }

  __device__ bool isFirstGroup() const {
    return Options(params.attention, slot()).probesOfGroup(sequence, params.behind + kTile) <= 0;
  }

  // Whether the group has this thread's probe i.
  __device__ bool has(int i) const { return threadIdx.x % 4 * 16 + i >= kTile - probes; }

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
};

// Greatest score and sum of exponentials of each probe, over this thread's keys.
struct Statistics {
  float greatest[kThreadProbes];
  float sum[kThreadProbes];

  __device__ Statistics() {
#pragma unroll
    for (int i = 0; i < kThreadProbes; i++) {
      greatest[i] = kNothing;
      sum[i] = 0;
    }
  }

  // Adds products with the keys from `tile` on; if `careful`, with scores made finite.
  __device__ void add(const HeadProbes& head, int tile, Scores& scores, bool careful) {
    const float scale = careful ? 1 : head.factor;
    if (careful) {
      head.makeFinite(scores);
    }
    head.mask(tile, scores, -INFINITY);
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
  }

  __device__ bool areFinite() const {
    bool finite = true;
#pragma unroll
    for (int i = 0; i < kThreadProbes; i++) {
      finite &= sum[i] < INFINITY;
    }
    return finite;
  }

  // partials[probe][chunk] = greatest score and sum over the chunk.
  __device__ void write(const HeadProbes& head) {
    if (head.probes <= 0) {
      return;
    }
    const int lane = threadIdx.x % 32;
    const int chunks = head.params.chunks();
    float2* partials = head.params.partials + head.unit() * kTile * chunks + head.chunk;
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
        partials[int64_t(probe) * chunks] = {all, sum[i]};
      }
    }
  }
};

// The weights of a head's probes, added up by column and by offset.
struct Weights {
  const float2* statistics;   // of this thread's probes
  float base[kThreadProbes];  // log2 of what each probe's exponentials are divided by
  bool careful;               // some statistics are not finite
  Diagonals diagonals;

  __device__ explicit Weights(const HeadProbes& head)
      : statistics(head.params.statistics + (head.probes > 0 ? head.unit() * kTile + threadIdx.x % 4 * 16 : 0)) {
    bool infinite = false;
#pragma unroll
    for (int i = 0; i < kThreadProbes; i++) {
      const float2 ofProbe =
          head.probes > 0 && head.has(i) ? statistics[i] : make_float2(0, 0);
      infinite |= fabsf(ofProbe.x) >= kGreatest / 2;
      base[i] = ofProbe.x + ofProbe.y;
    }
    careful = __any_sync(~0u, infinite);
    if (careful) {
#pragma unroll
      for (int i = 0; i < kThreadProbes; i++) {
        base[i] = head.has(i) ? statistics[i].y : 0;
      }
    }
  }

  // Adds what products with the keys from `tile` on give.
  __device__ void add(const HeadProbes& head, int tile, Scores& scores) {
    const float scale = careful ? 1 : head.factor;
    if (careful) {
      head.makeFinite(scores);
      scores.forEach([&](int, int i, float& score) {
        score -= head.has(i) ? statistics[i].x : 0;
      });
    }
    scores.forEach([&](int, int i, float& score) {
      score = fmaxf(exp2Fast(fmaf(score, scale, -base[i])), kLeastWeight);
    });
    head.mask(tile, scores, 0);
    addUp(head, tile, scores);
  }

  // What belongs to places of the next chunk.
  __device__ void finish(const HeadProbes& head) {
    if (head.probes > 0) {
      const float nothing[24] = {};
      float* overhang =
          head.params.overhangs + (head.unit() * head.params.chunks() + head.chunk) * kTile;
      reinterpret_cast<float2*>(overhang)[threadIdx.x % 32] = diagonals.add(nothing);
    }
  }

 private:
  // Lane l completes columns, and places, 2 l and 2 l + 1 of the tile. The first group of probes that a
  // unit has begins the sums.
  __device__ void addUp(const HeadProbes& head, int tile, Scores& scores) {
    float byColumn[kThreadKeys] = {};
    float byDiagonal[24] = {};
    scores.forEach([&](int key, int probe, float& weight) {
      byColumn[key] += weight;
      byDiagonal[key - probe + kThreadProbes - 1] += weight;
    });
    const float2 columns = sumOverQuad(byColumn);
    const float2 places = diagonals.add(byDiagonal);
    const VerticalSlashParams& params = head.params;
    const int lane = threadIdx.x % 32;
    const bool first = head.isFirstGroup();
    const int64_t firstSum = head.unit() * params.sumLength;
    float2* columnSums = reinterpret_cast<float2*>(params.columnSums + firstSum + tile) + lane;
    const float2 before = first ? make_float2(0, 0) : *columnSums;
    *columnSums = {before.x + columns.x, before.y + columns.y};
    float* offsetSums = params.offsetSums + firstSum;
    const int offset = head.sequence.keyTokens - 1 - (tile + params.behind + 2 * lane);
    if (offset >= 0) {
      offsetSums[offset] = (first ? 0 : offsetSums[offset]) + places.x;
    }
    if (offset >= 1) {
      offsetSums[offset - 1] = (first ? 0 : offsetSums[offset - 1]) + places.y;
    }
  }
};

}  // namespace vertical_slash
