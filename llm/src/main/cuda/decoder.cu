// What a decoder does beside attention and matrix products. Activations are 16-bit numbers, sums
// float32: the residual stream `hidden`, which every layer adds to, is float32 throughout. Each
// kernel takes one struct, which its Java twin fills (DecoderKernels.java).
#include "numbers.cuh"

namespace heddle::decoder {

constexpr int THREADS = 256;

// hidden[row] = table[tokens[row]]
struct EmbedParams {
  const int* tokens;   // [rows]
  const void* table;   // [vocabulary][width]
  float* hidden;       // [rows][width]
  int width;
};
static_assert(sizeof(EmbedParams) == 32, "DecoderKernels.java fills it");

template <class Element, int COUNT>
__device__ void embed(const EmbedParams& p) {
  const int64_t row = blockIdx.x;
  const Element* from = static_cast<const Element*>(p.table) + int64_t(p.tokens[row]) * p.width;
  float* to = p.hidden + row * p.width;
  for (int i = threadIdx.x * COUNT; i < p.width; i += THREADS * COUNT) {
    float x[COUNT];
    load(x, from + i);
    store(to + i, x);
  }
}

// out[row] = weight · hidden[row] / √(mean(hidden[row]²) + epsilon)
struct NormParams {
  const float* hidden;  // [rows][width]
  const float* weight;  // [width]
  void* out;            // [rows][width]
  int width;
  float epsilon;
};
static_assert(sizeof(NormParams) == 32, "DecoderKernels.java fills it");

template <class Element, int COUNT>
__device__ void norm(const NormParams& p) {
  const int64_t row = blockIdx.x;
  const float* from = p.hidden + row * p.width;
  float squares = 0;
  for (int i = threadIdx.x * COUNT; i < p.width; i += THREADS * COUNT) {
    float x[COUNT];
    load(x, from + i);
#pragma unroll
    for (int j = 0; j < COUNT; j++) squares += x[j] * x[j];
  }
  const float scale = rsqrtf(sumOfBlock<THREADS / 32>(squares) / float(p.width) + p.epsilon);
  Element* to = static_cast<Element*>(p.out) + row * p.width;
  for (int i = threadIdx.x * COUNT; i < p.width; i += THREADS * COUNT) {
    float x[COUNT], weight[COUNT];
    load(x, from + i);
    load(weight, p.weight + i);
#pragma unroll
    for (int j = 0; j < COUNT; j++) x[j] = weight[j] * (x[j] * scale);
    store(to + i, x);
  }
}

// gate = silu(gate + gateBias) · (up + upBias), in place; up lies behind gate in each row
struct GateParams {
  void* gateUp;       // [rows][2 · width]
  const float* bias;  // [2 · width], or null
  int64_t rows;
  int width;
};
static_assert(sizeof(GateParams) == 32, "DecoderKernels.java fills it");

template <class Element, int COUNT>
__device__ void gate(const GateParams& p) {
  const int perRow = p.width / COUNT;
  const int64_t index = int64_t(blockIdx.x) * THREADS + threadIdx.x;
  const int64_t row = index / perRow;
  if (row >= p.rows) return;
  const int column = int(index - row * perRow) * COUNT;
  Element* at = static_cast<Element*>(p.gateUp) + row * 2 * p.width + column;
  float gate[COUNT], up[COUNT];
  load(gate, at);
  load(up, at + p.width);
  if (p.bias != nullptr) {
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
      gate[i] += p.bias[column + i];
      up[i] += p.bias[p.width + column + i];
    }
  }
#pragma unroll
  for (int i = 0; i < COUNT; i++) gate[i] = gate[i] / (1 + expf(-gate[i])) * up[i];
  store(at, gate);
}

// hidden[row] += bias
struct BiasParams {
  float* hidden;      // [rows][width]
  const float* bias;  // [width]
  int width;
};
static_assert(sizeof(BiasParams) == 24, "DecoderKernels.java fills it");

__device__ void addBias(const BiasParams& p) {
  float* row = p.hidden + int64_t(blockIdx.x) * p.width;
  for (int i = threadIdx.x; i < p.width; i += THREADS) row[i] += p.bias[i];
}

// Cosine and sine of every pair's angle at `rows` positions from `first` on. The angle is rounded
// to float32, as it is where models are trained and on the processor; its cosine is worked out in
// float64, because angles reach a million.
struct AnglesParams {
  const float* frequencies;  // [pairs]
  float2* angles;            // [rows][pairs]
  int64_t rows;
  const int* position;  // is added to `first`, or null
  int first;
  int pairs;
};
static_assert(sizeof(AnglesParams) == 40, "DecoderKernels.java fills it");

__device__ void angles(const AnglesParams& p) {
  const int64_t index = int64_t(blockIdx.x) * THREADS + threadIdx.x;
  const int64_t row = index / p.pairs;
  if (row >= p.rows) return;
  const int64_t position = p.first + row + (p.position == nullptr ? 0 : *p.position);
  const float angle = float(position) * p.frequencies[index - row * p.pairs];
  double sine, cosine;
  sincos(double(angle), &sine, &cosine);
  p.angles[index] = make_float2(float(cosine), float(sine));
}

// Numbers that look random, evenly spread between -limit and limit: weights of a model that is only
// measured.
struct RandomParams {
  void* out;
  int64_t count;
  uint64_t seed;
  float limit;
};
static_assert(sizeof(RandomParams) == 32, "DecoderKernels.java fills it");

template <class Element>
__device__ void random(const RandomParams& p) {
  const int64_t step = int64_t(gridDim.x) * THREADS;
  for (int64_t i = int64_t(blockIdx.x) * THREADS + threadIdx.x; i < p.count; i += step) {
    uint64_t x = (uint64_t(i) + p.seed) * 0x9e3779b97f4a7c15ull;  // SplitMix64
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    x ^= x >> 31;
    const float unit = float(x >> 40) * 0x1p-24f;
    static_cast<Element*>(p.out)[i] = fromFloat<Element>((2 * unit - 1) * p.limit);
  }
}

}  // namespace heddle::decoder

#define HEDDLE_DECODER_KERNELS(TYPE, ELEMENT, COUNT, SUFFIX)                                        \
  extern "C" __global__ void __launch_bounds__(heddle::decoder::THREADS)                            \
      heddle_embed_##TYPE##SUFFIX(const heddle::decoder::EmbedParams p) {                           \
    heddle::decoder::embed<ELEMENT, COUNT>(p);                                                      \
  }                                                                                                 \
  extern "C" __global__ void __launch_bounds__(heddle::decoder::THREADS)                            \
      heddle_norm_##TYPE##SUFFIX(const heddle::decoder::NormParams p) {                             \
    heddle::decoder::norm<ELEMENT, COUNT>(p);                                                       \
  }                                                                                                 \
  extern "C" __global__ void __launch_bounds__(heddle::decoder::THREADS)                            \
      heddle_gate_##TYPE##SUFFIX(const heddle::decoder::GateParams p) {                             \
    heddle::decoder::gate<ELEMENT, COUNT>(p);                                                       \
  }

// By eight, 16 bytes, where rows are multiples of it; one by one elsewhere.
HEDDLE_DECODER_KERNELS(bf16, heddle::BFloat, 8, )
HEDDLE_DECODER_KERNELS(f16, heddle::Half, 8, )
HEDDLE_DECODER_KERNELS(bf16, heddle::BFloat, 1, _single)
HEDDLE_DECODER_KERNELS(f16, heddle::Half, 1, _single)

extern "C" __global__ void __launch_bounds__(heddle::decoder::THREADS)
    heddle_add_bias(const heddle::decoder::BiasParams p) {
  heddle::decoder::addBias(p);
}
extern "C" __global__ void __launch_bounds__(heddle::decoder::THREADS)
    heddle_angles(const heddle::decoder::AnglesParams p) {
  heddle::decoder::angles(p);
}
extern "C" __global__ void __launch_bounds__(heddle::decoder::THREADS)
    heddle_random_bf16(const heddle::decoder::RandomParams p) {
  heddle::decoder::random<heddle::BFloat>(p);
}
extern "C" __global__ void __launch_bounds__(heddle::decoder::THREADS)
    heddle_random_f16(const heddle::decoder::RandomParams p) {
  heddle::decoder::random<heddle::Half>(p);
}
