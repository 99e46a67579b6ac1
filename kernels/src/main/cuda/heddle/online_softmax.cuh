// The running softmax of the rows that one thread holds.
//
// With m the greatest score of a row so far, s a score and z the sum of weights and o the weighted sum of
// values, a tile of keys changes them to
//
//     m' = max(m, max s)         alpha = exp(c m - c m')
//     p  = exp(c s - c m')       z' = alpha z + sum p        o' = alpha o + sum p v
//
// with c = softmaxScale. A score of -infinity (a key that the query does not read) weighs exactly 0. A row
// that has seen only such scores has z = 0, and its result is 0/0: NaN. NaN in a score makes its own row
// NaN.
//
// In which base the exponential is taken, and how exactly, is a policy: Exp2 takes c = softmaxScale *
// log2(e) and one fast instruction; its error, a few 1e-7, is lost in weights of 16 bits. ExpExact is for
// float32: c = 1 with scores scaled beforehand, as the plain computation does.
#pragma once

#include <cmath>

#include "heddle/elements.cuh"

namespace heddle {

constexpr float kLog2E = 1.4426950408889634f;
constexpr float kLn2 = 0.6931471805599453f;

struct Exp2 {
  static constexpr float kLogOfBase = kLn2;
  __device__ static float power(float x) { return exp2Fast(x); }
};

struct ExpExact {
  static constexpr float kLogOfBase = 1;
  __device__ static float power(float x) { return expf(x); }
};

template <int Rows, class Exponential>
struct OnlineSoftmax {
  float greatest[Rows];
  float sum[Rows];  // of the weights that this thread computed; the row's other threads hold the rest
  float base[Rows];  // c m, or 0 while all scores are -infinity: -infinity - (-infinity) is NaN

  __device__ OnlineSoftmax() {
#pragma unroll
    for (int row = 0; row < Rows; row++) {
      greatest[row] = -INFINITY;
      sum[row] = 0;
      base[row] = 0;
    }
  }

  // Takes in the greatest score of a tile; returns alpha.
  __device__ float raise(int row, float tileGreatest, float scale) {
    const float before = greatest[row];
    const float after = fmaxf(before, tileGreatest);
    greatest[row] = after;
    base[row] = after == -INFINITY ? 0.f : after * scale;
    const float alpha = Exponential::power(before * scale - base[row]);
    sum[row] *= alpha;
    return alpha;
  }

  __device__ float weigh(int row, float score, float scale) {
    const float weight = Exponential::power(fmaf(score, scale, -base[row]));
    sum[row] += weight;
    return weight;
  }

  // The natural logarithm of the sum of exponentials, given the sum over all threads of the row.
  __device__ float logSumExp(int row, float total) const {
    return total == 0 ? NAN : base[row] * Exponential::kLogOfBase + logf(total);
  }
};

}  // namespace heddle
