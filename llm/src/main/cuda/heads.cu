// Between the projection to Q, K and V and attention: biases, norms of heads, the turn by the token's position, and the places
// where Q, K and V are kept. And attention of one query, which reads all keys, split over thread blocks.
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
  int rows, queryHeads, keyValueHeads, headDim;
  float epsilon;
};
static_assert(sizeof(SplitParams) == 104, "HeadKernels.java fills it");

// Half a head in each of the arrays' second axis: pairs that turn together are (0, i) and (1, i).
struct HeadPart {
  float x[2][MOST_QUADS][QUAD];
};

// Where quad number `quad` of this thread's lies in a half of a head; beyond the half where it has none.
__device__ inline int placeOfQuad(int quad) { return (quad * LANES + int(threadIdx.x) % LANES) * QUAD; }

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
  return base + (shared * p.keyCapacity + p.firstKey + row) * p.headDim;
}

template <class Element>
__device__ void split(const SplitParams& p) {
  const int heads = p.queryHeads + 2 * p.keyValueHeads;
  const int64_t index = int64_t(blockIdx.x) * (THREADS / LANES) + threadIdx.x / LANES;
  const bool present = index < int64_t(p.rows) * heads;  // all lanes of a warp take part in sums
  const int row = present ? int(index / heads) : 0;
  const int head = present ? int(index - int64_t(row) * heads) : 0;
  const int half = p.headDim / 2;
  const Element* from = static_cast<const Element*>(p.projected) + (int64_t(row) * heads + head) * p.headDim;
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

// Attention of one query over all keys: every thread block takes some of the keys for up to GROUP query heads that share them.
constexpr int GROUP = 4;           // query heads at once
constexpr int TILE = 64;           // keys at once
constexpr int DECODE_THREADS = 128;
constexpr int CHUNK = 8;           // numbers of a row that a thread moves at once: 16 bytes
constexpr int MOST_HEAD_DIM = 256;
constexpr int KEY_LANES = 8;       // threads that share a key

struct DecodeParams {
  const void* queries;  // [queryHeads][headDim]
  const void* keys;     // [keyValueHeads][keyCapacity][headDim]
  const void* values;   // as keys
  float* partial;       // [queryHeads][splits][headDim]: weighted sums of V
  float2* weights;      // [queryHeads][splits]: greatest score and sum of weights
  void* out;            // [queryHeads][headDim]
  int64_t keyCapacity;
  int keyTokens, queryHeads, keyValueHeads, headDim, splits;
  float softmaxScaleLog2;
};
static_assert(sizeof(DecodeParams) == 80, "HeadKernels.java fills it");

// The scores of a tile's keys, of all heads.
template <class Element>
__device__ void scoreTile(const DecodeParams& p, const float (*query)[MOST_HEAD_DIM], const Element* keys,
                          int count, float (*scores)[TILE]) {
  const int lane = threadIdx.x % KEY_LANES;
  for (int key = threadIdx.x / KEY_LANES; key < TILE; key += DECODE_THREADS / KEY_LANES) {
    float sums[GROUP] = {};
    if (key < count) {
      for (int d = lane * CHUNK; d < p.headDim; d += KEY_LANES * CHUNK) {
        float k[CHUNK];
        load(k, keys + int64_t(key) * p.headDim + d);
#pragma unroll
        for (int head = 0; head < GROUP; head++)
#pragma unroll
          for (int i = 0; i < CHUNK; i++) sums[head] += query[head][d + i] * k[i];
      }
    }
#pragma unroll
    for (int head = 0; head < GROUP; head++) {
      const float sum = sumOfLanes<KEY_LANES>(sums[head]);
      if (lane == 0) scores[head][key] = key < count ? sum * p.softmaxScaleLog2 : -INFINITY;
    }
  }
}

// Replaces a tile's scores by weights; one warp for each head. What was summed before is worth `factor` of itself.
__device__ inline void weighTile(float (*scores)[TILE], float* greatest, float* total, float* factor) {
  const int head = threadIdx.x / 32, lane = threadIdx.x % 32;
  const float first = scores[head][lane], second = scores[head][lane + 32];
  float most = fmaxf(first, second);
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2)
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, distance));
  most = fmaxf(most, greatest[head]);
  const float a = exp2f(first - most), b = exp2f(second - most);
  scores[head][lane] = a;
  scores[head][lane + 32] = b;
  const float sum = sumOfLanes<32>(a + b);
  if (lane == 0) {
    factor[head] = exp2f(greatest[head] - most);
    total[head] = total[head] * factor[head] + sum;
    greatest[head] = most;
  }
}

template <class Element>
__device__ void decode(const DecodeParams& p) {
  static_assert(DECODE_THREADS / 32 == GROUP && TILE == 64, "weighTile: a warp per head, two keys per lane");
  __shared__ float query[GROUP][MOST_HEAD_DIM];
  __shared__ float scores[GROUP][TILE];
  __shared__ float greatest[GROUP], total[GROUP], factor[GROUP];
  const int group = p.queryHeads / p.keyValueHeads;
  const int shared = blockIdx.y, firstHead = shared * group + blockIdx.z * GROUP;
  const int heads = min(GROUP, (shared + 1) * group - firstHead);
  // Splits are whole tiles.
  const int tiles = (p.keyTokens + TILE - 1) / TILE;
  const int firstTile = int(int64_t(tiles) * blockIdx.x / p.splits);
  const int endTile = int(int64_t(tiles) * (blockIdx.x + 1) / p.splits);
  for (int i = threadIdx.x; i < GROUP * p.headDim; i += DECODE_THREADS) {
    const int head = i / p.headDim, d = i - head * p.headDim;
    const Element* from = static_cast<const Element*>(p.queries) + int64_t(firstHead + head) * p.headDim;
    query[head][d] = head < heads ? toFloat(from[d]) : 0.0f;
  }
  if (threadIdx.x < GROUP) {
    greatest[threadIdx.x] = -INFINITY;
    total[threadIdx.x] = 0;
  }
  // A thread sums one chunk of the rows of V, over every `stride`-th key of a tile.
  const int chunks = p.headDim / CHUNK, stride = DECODE_THREADS / chunks;
  const int chunk = threadIdx.x % chunks, firstKey = threadIdx.x / chunks;
  float sums[GROUP][CHUNK] = {};
  const int64_t base = shared * p.keyCapacity;
  for (int tile = firstTile; tile < endTile; tile++) {
    const int64_t row = base + int64_t(tile) * TILE;
    const int count = min(TILE, p.keyTokens - tile * TILE);
    __syncthreads();
    scoreTile(p, query, static_cast<const Element*>(p.keys) + row * p.headDim, count, scores);
    __syncthreads();
    weighTile(scores, greatest, total, factor);
    __syncthreads();
#pragma unroll
    for (int head = 0; head < GROUP; head++)
#pragma unroll
      for (int i = 0; i < CHUNK; i++) sums[head][i] *= factor[head];
    const Element* values = static_cast<const Element*>(p.values) + row * p.headDim + chunk * CHUNK;
    for (int key = firstKey; key < count && firstKey < stride; key += stride) {
      float v[CHUNK];
      load(v, values + int64_t(key) * p.headDim);
#pragma unroll
      for (int head = 0; head < GROUP; head++)
#pragma unroll
        for (int i = 0; i < CHUNK; i++) sums[head][i] += scores[head][key] * v[i];
    }
  }
  // The threads of a chunk add up through shared memory, head by head.
  __shared__ float ofThreads[DECODE_THREADS][CHUNK];
  for (int head = 0; head < heads; head++) {
    __syncthreads();
#pragma unroll
    for (int i = 0; i < CHUNK; i++) {
      float sum = 0;  // keeps `sums` in registers: its index must be known
#pragma unroll
      for (int other = 0; other < GROUP; other++) sum = other == head ? sums[other][i] : sum;
      ofThreads[threadIdx.x][i] = sum;
    }
    __syncthreads();
    const int64_t slot = int64_t(firstHead + head) * p.splits + blockIdx.x;
    for (int d = threadIdx.x; d < p.headDim; d += DECODE_THREADS) {
      float sum = 0;
      for (int part = 0; part < stride; part++) sum += ofThreads[part * chunks + d / CHUNK][d % CHUNK];
      p.partial[slot * p.headDim + d] = sum;
    }
    if (threadIdx.x == 0) p.weights[slot] = make_float2(greatest[head], total[head]);
  }
}

// Adds the parts of each head up: a thread block per head.
template <class Element>
__device__ void merge(const DecodeParams& p) {
  const int head = blockIdx.x;
  const float2* weights = p.weights + int64_t(head) * p.splits;
  float greatest = -INFINITY;
  for (int split = 0; split < p.splits; split++) greatest = fmaxf(greatest, weights[split].x);
  float total = 0;
  for (int split = 0; split < p.splits; split++)
    total += weights[split].y * exp2f(weights[split].x - greatest);
  for (int d = threadIdx.x; d < p.headDim; d += DECODE_THREADS) {
    float sum = 0;
    for (int split = 0; split < p.splits; split++) {
      const float part = p.partial[(int64_t(head) * p.splits + split) * p.headDim + d];
      sum += part * exp2f(weights[split].x - greatest);
    }
    static_cast<Element*>(p.out)[int64_t(head) * p.headDim + d] = fromFloat<Element>(sum / total);
  }
}

}  // namespace heddle::decoder

#define HEDDLE_HEAD_KERNELS(TYPE, ELEMENT)                                                         \
  extern "C" __global__ void __launch_bounds__(heddle::decoder::THREADS)                           \
      heddle_split_##TYPE(const heddle::decoder::SplitParams p) {                                  \
    heddle::decoder::split<ELEMENT>(p);                                                            \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(heddle::decoder::DECODE_THREADS, 4)                 \
      heddle_decode_##TYPE(const heddle::decoder::DecodeParams p) {                                \
    heddle::decoder::decode<ELEMENT>(p);                                                           \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(heddle::decoder::DECODE_THREADS)                    \
      heddle_merge_##TYPE(const heddle::decoder::DecodeParams p) {                                 \
    heddle::decoder::merge<ELEMENT>(p);                                                            \
  }

HEDDLE_HEAD_KERNELS(bf16, heddle::BFloat)
HEDDLE_HEAD_KERNELS(f16, heddle::Half)
