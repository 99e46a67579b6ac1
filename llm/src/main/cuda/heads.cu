// Between the projection to Q, K and V and attention: biases, norms of heads, the turn by the
// token's position, and the places where Q, K and V are kept.
#include "numbers.cuh"

namespace heddle::decoder {

constexpr int THREADS = 256;
constexpr int LANES = 16;      // threads that share a head
constexpr int QUAD = 4;        // neighbouring numbers that a thread moves at once
constexpr int MOST_QUADS = 2;  // of each half of a head, for head dims to 256

// One row of the projection: Q heads, K heads, V heads.
struct SplitParams {
  const void* projected;    // [rows][queryHeads + 2 · keyValueHeads][headDim]
  const float* bias;        // [queryHeads + 2 · keyValueHeads][headDim], or null
  const float* queryNorm;   // [headDim], or null
  const float* keyNorm;     // [headDim], or null
  const float2* angles;     // [rows][headDim / 2]: cosine and sine
  void* queries;            // [rows][queryHeads][headDim]
  void* keys;               // [keyValueHeads][keyCapacity][headDim]
  void* values;             // as keys
  int64_t keyCapacity;      // tokens per head of K and V
  int64_t firstKey;         // where in K and V row 0 belongs
  const int* position;      // is added to firstKey, or null
  int rows, queryHeads, keyValueHeads, headDim;
  float epsilon;
};
static_assert(sizeof(SplitParams) == 112, "HeadKernels.java fills it");

// Half a head in each of the arrays' second axis: pairs that turn together are (0, i) and (1, i).
struct HeadPart {
  float x[2][MOST_QUADS][QUAD];
};

// Where quad number `quad` of this thread's lies in a half of a head; beyond the half where it has
// none.
__device__ inline int placeOfQuad(int quad) {
  return (quad * LANES + int(threadIdx.x) % LANES) * QUAD;
}

__device__ inline void normalise(HeadPart& part, const float* weight, const SplitParams& p) {
  const int half = p.headDim / 2;
  float squares = 0;
#pragma unroll
  for (int side = 0; side < 2; side++)
#pragma unroll
    for (int quad = 0; quad < MOST_QUADS; quad++)
#pragma unroll
      for (int i = 0; i < QUAD; i++) squares += part.x[side][quad][i] * part.x[side][quad][i];
  const float scale = rsqrtf(sumOfLanes<LANES>(squares) / float(p.headDim) + p.epsilon);
#pragma unroll
  for (int quad = 0; quad < MOST_QUADS; quad++) {
    const int place = placeOfQuad(quad);
    if (place >= half) break;
#pragma unroll
    for (int side = 0; side < 2; side++)
#pragma unroll
      for (int i = 0; i < QUAD; i++)
        part.x[side][quad][i] = weight[side * half + place + i] * (part.x[side][quad][i] * scale);
  }
}

__device__ inline void turn(HeadPart& part, const float2* angles, int half) {
#pragma unroll
  for (int quad = 0; quad < MOST_QUADS; quad++) {
    const int place = placeOfQuad(quad);
    if (place >= half) break;
#pragma unroll
    for (int i = 0; i < QUAD; i++) {
      const float2 angle = angles[place + i];
      const float first = part.x[0][quad][i], second = part.x[1][quad][i];
      part.x[0][quad][i] = first * angle.x - second * angle.y;
      part.x[1][quad][i] = second * angle.x + first * angle.y;
    }
  }
}

template <class Element>
__device__ Element* targetOf(const SplitParams& p, int row, int head) {
  if (head < p.queryHeads) {
    return static_cast<Element*>(p.queries) + (int64_t(row) * p.queryHeads + head) * p.headDim;
  }
  const bool isKey = head < p.queryHeads + p.keyValueHeads;
  const int shared = head - p.queryHeads - (isKey ? 0 : p.keyValueHeads);
  Element* base = static_cast<Element*>(isKey ? p.keys : p.values);
  const int64_t first = p.firstKey + (p.position == nullptr ? 0 : *p.position);
  return base + (shared * p.keyCapacity + first + row) * p.headDim;
}

template <class Element>
__device__ void split(const SplitParams& p) {
  const int heads = p.queryHeads + 2 * p.keyValueHeads;
  const int64_t index = int64_t(blockIdx.x) * (THREADS / LANES) + threadIdx.x / LANES;
  const bool present = index < int64_t(p.rows) * heads;  // all lanes of a warp take part in sums
  const int row = present ? int(index / heads) : 0;
  const int head = present ? int(index - int64_t(row) * heads) : 0;
  const int half = p.headDim / 2;
  const Element* from =
      static_cast<const Element*>(p.projected) + (int64_t(row) * heads + head) * p.headDim;
  HeadPart part = {};
#pragma unroll
  for (int quad = 0; quad < MOST_QUADS; quad++) {
    const int place = placeOfQuad(quad);
    if (place >= half) break;
#pragma unroll
    for (int side = 0; side < 2; side++) {
      load(part.x[side][quad], from + side * half + place);
      if (p.bias != nullptr) {
#pragma unroll
        for (int i = 0; i < QUAD; i++)
          part.x[side][quad][i] += p.bias[head * p.headDim + side * half + place + i];
      }
    }
  }
  const bool isQuery = head < p.queryHeads, isValue = head >= p.queryHeads + p.keyValueHeads;
  if (p.queryNorm != nullptr) {  // the same for all threads: sums need whole warps
    HeadPart normalised = part;
    normalise(normalised, isQuery ? p.queryNorm : p.keyNorm, p);
    if (!isValue) part = normalised;
  }
  if (!isValue) turn(part, p.angles + int64_t(row) * half, half);
  if (!present) return;
  Element* to = targetOf<Element>(p, row, head);
#pragma unroll
  for (int quad = 0; quad < MOST_QUADS; quad++) {
    const int place = placeOfQuad(quad);
    if (place >= half) break;
#pragma unroll
    for (int side = 0; side < 2; side++) store(to + side * half + place, part.x[side][quad]);
  }
}

}  // namespace heddle::decoder

#define HEDDLE_HEAD_KERNELS(TYPE, ELEMENT)                                                         \
  extern "C" __global__ void __launch_bounds__(heddle::decoder::THREADS)                           \
      heddle_split_##TYPE(const heddle::decoder::SplitParams p) {                                  \
    heddle::decoder::split<ELEMENT>(p);                                                            \
  }

HEDDLE_HEAD_KERNELS(bf16, heddle::BFloat)
HEDDLE_HEAD_KERNELS(f16, heddle::Half)
