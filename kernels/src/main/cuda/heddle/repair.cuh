// Rows of the output into which NaN or infinity came from keys that their queries do not read.
//
// A tile of keys that needs a mask is multiplied whole, with weight 0 for what a query does not read; but
// 0 * NaN and 0 * infinity are NaN. The main loop for compute capability 9.0 does not look for such values
// beforehand: it looks at its result, and has the rows in which a number is not finite, although the sum of
// weights is, worked out again here. For such a number of the row,
//
//     if values in its dimension that the query reads are not finite, it is their sum;
//     otherwise it is computed anew, key by key, in float32.
//
// That is slow, and happens only to rows that share a tile with such a key without reading it.
#pragma once

#include "heddle/online_softmax.cuh"
#include "heddle/shared_rows.cuh"

namespace heddle {

// One row of the output, as a warp sees it: lane l has the dimensions l, l + 32, ...
template <class Element, int HeadDim>
struct RepairedRow {
  static constexpr int kOwn = HeadDim / 32;

  const AttentionParams& params;
  int lane;
  int half;      // of an index row's queries
  int position;  // of the query
  const Element* query;
  HeadRows keys;
  HeadRows values;

  // Calls visit(key) for every key that the query reads.
  template <class Policy, class Visit>
  __device__ void forKeys(const Policy& policy, Visit visit) const {
    for (int t = 0; t < policy.tiles(); t++) {
      const KeyTile tile = policy.tile(t);
      for (int i = 0; i < tile.count && tile.isReadBy(half); i++) {
        int key = tile.firstKey() + i;
        if constexpr (Policy::kGathers) {
          if (tile.isColumns()) {
            key = positionFor(half, policy.columns[tile.firstColumn() + i]);
          }
        }
        if (key <= position) {
          visit(key);
        }
      }
    }
  }

  __device__ float number(const HeadRows& rows, int key, int i) const {
    const int dim = lane + 32 * i;
    return dim < params.headDim ? toFloat(reinterpret_cast<const Element*>(rows.row(key))[dim]) : 0;
  }

  template <class Policy>
  __device__ void repair(const Policy& policy, Element* out) const {
    float result[kOwn];
    bool isOpen[kOwn];
    bool anyOpen = false;
#pragma unroll
    for (int i = 0; i < kOwn; i++) {
      const int dim = lane + 32 * i;
      result[i] = 0;
      isOpen[i] = dim < params.headDim && !isfinite(toFloat(out[dim]));
    }
    forKeys(policy, [&](int key) {
#pragma unroll
      for (int i = 0; i < kOwn; i++) {
        const float value = number(values, key, i);
        result[i] += isfinite(value) ? 0 : value;
      }
    });
#pragma unroll
    for (int i = 0; i < kOwn; i++) {
      if (isOpen[i] && !isfinite(result[i])) {
        store(out, i, result[i]);
        isOpen[i] = false;
      }
      anyOpen |= isOpen[i];
    }
    if (__any_sync(~0u, anyOpen)) {
      compute(policy, result);
#pragma unroll
      for (int i = 0; i < kOwn; i++) {
        if (isOpen[i]) {
          store(out, i, result[i]);
        }
      }
    }
  }

 private:
  __device__ void store(Element* out, int i, float result) const {
    const uint16_t bits = uint16_t(pack<Element>(result, result));
    memcpy(out + lane + 32 * i, &bits, sizeof bits);
  }

  // The row's output by the plain equations of online_softmax.cuh.
  template <class Policy>
  __device__ void compute(const Policy& policy, float (&result)[kOwn]) const {
    OnlineSoftmax<1, Exp2> softmax;
    float q[kOwn];
#pragma unroll
    for (int i = 0; i < kOwn; i++) {
      const int dim = lane + 32 * i;
      q[i] = dim < params.headDim ? toFloat(query[dim]) : 0;
      result[i] = 0;
    }
    const float scaleLog2 = params.softmaxScale * kLog2E;
    forKeys(policy, [&](int key) {
      float score = 0;
#pragma unroll
      for (int i = 0; i < kOwn; i++) {
        score = fmaf(q[i], number(keys, key, i), score);
      }
#pragma unroll
      for (int distance = 1; distance < 32; distance *= 2) {
        score += __shfl_xor_sync(~0u, score, distance);
      }
      const float alpha = softmax.raise(0, score, scaleLog2);
      const float weight = softmax.weigh(0, score, scaleLog2);
#pragma unroll
      for (int i = 0; i < kOwn; i++) {
        result[i] = fmaf(weight, number(values, key, i), alpha * result[i]);
      }
    });
#pragma unroll
    for (int i = 0; i < kOwn; i++) {
      result[i] /= softmax.sum[0];
    }
  }
};

}  // namespace heddle
