// Attention of one query over all keys, and what keeps keys and values in 8 bits.
//
// A warp takes 16 keys at a time for up to GROUP query heads that share them, on tensor cores, with nothing between memory
// and registers: S = Q Kᵀ has the heads as the rows of a 16 x 8 product, and O += P V takes the same registers back as its
// left side. Both products may sum in any order, so that a thread's part of a row is 8 neighbouring numbers.
//
// Only 8 of the 16 rows are heads. The others hold what rounding left of the first 8: P = high + low, both of 16 bits, so
// that weights are as exact as sums of float32 are.
#include "cache.cuh"

namespace heddle::decoder {

constexpr int GROUP = 8;         // query heads at once
constexpr int WARPS = 4;
constexpr int DECODE_THREADS = 32 * WARPS;
constexpr int STEP = 16;         // keys of a warp at once
constexpr int TILE = STEP * WARPS;
constexpr int MERGE_THREADS = 256;
constexpr int MOST_SPLITS = 256;
constexpr float LEAST = -INFINITY;

struct DecodeParams {
  const void* queries;       // [queryHeads][headDim]
  const void* keys;          // [keyValueHeads][keyCapacity][headDim]: 16-bit numbers, or e4m3
  const void* values;        // as keys
  const float* keyScales;    // [keyValueHeads][keyCapacity], with e4m3 only
  const float* valueScales;  // as keyScales
  float* partial;            // [queryHeads][splits][headDim]: weighted sums of V
  float2* weights;           // [queryHeads][splits]: greatest score and sum of weights
  void* out;                 // [queryHeads][headDim]
  const int* position;       // the query's: it reads the keys up to that one
  int64_t keyCapacity;
  int queryHeads, keyValueHeads, headDim, splits;
  float softmaxScaleLog2;
};
static_assert(sizeof(DecodeParams) == 104, "DecodeKernels.java fills it");

// Which keys a split reads: whole tiles, as many for all but the last.
struct Splits {
  int keyTokens, tilesEach, used;

  __device__ explicit Splits(const DecodeParams& p) {
    keyTokens = *p.position + 1;
    const int tiles = (keyTokens + TILE - 1) / TILE;
    tilesEach = (tiles + p.splits - 1) / p.splits;
    used = (tiles + tilesEach - 1) / tilesEach;
  }
};

// Eight heads' weighted sums of V, in the registers of a warp. Thread (g, t) = (lane / 4, lane % 4) holds head g, of every
// 64 numbers those from 16 t on: tile j of a segment has numbers 16 t + j and 16 t + 8 + j, high parts, then low parts.
template <int DIMS>
struct Sums {
  static constexpr int SEGMENTS = DIMS / 64;
  float of[SEGMENTS][8][4] = {};

  __device__ void scale(float factor) {
#pragma unroll
    for (int segment = 0; segment < SEGMENTS; segment++)
#pragma unroll
      for (int j = 0; j < 8; j++)
#pragma unroll
        for (int i = 0; i < 4; i++) of[segment][j][i] *= factor;
  }
};

// One warp's part of the attention of up to GROUP heads.
template <class Storage, int DIMS>
struct WarpAttention {
  using Number = typename Storage::Number;
  static constexpr int PIECES = DIMS / 32;    // of 32 numbers of a row of K: 8 for each of 4 threads
  static constexpr int SEGMENTS = DIMS / 64;  // of 64 numbers of a row of V: 8 for each of 8 threads
  // Both loads at once keep more of memory busy, where there are registers for both.
  static constexpr bool EARLY_VALUES = DIMS <= 128;

  const DecodeParams& p;
  const int g = int(threadIdx.x) % 32 / 4, t = int(threadIdx.x) % 4;
  uint32_t query[PIECES][4], queryLow[PIECES][4];
  Sums<DIMS> sums;
  float greatest = LEAST, total = 0;

  __device__ explicit WarpAttention(const DecodeParams& params) : p(params) {}

  __device__ void loadQuery(int firstHead, int heads) {
#pragma unroll
    for (int piece = 0; piece < PIECES; piece++) {
      const int d = piece * 32 + t * CHUNK;
      const bool present = g < heads && d < p.headDim;
      Storage::loadQuery(query[piece], queryLow[piece],
                         static_cast<const typename Storage::Query*>(p.queries) +
                             int64_t(firstHead + g) * p.headDim + d,
                         present);
    }
  }

  // Scores of keys 8 n + 2 t and 8 n + 2 t + 1 for head g; `keys` is the row of key 8 n + g.
  __device__ void score(float (&scores)[2], const typename Storage::Chunk (&keys)[PIECES]) const {
    float c[4] = {};
#pragma unroll
    for (int piece = 0; piece < PIECES; piece++) {
      uint32_t k[4];
      Storage::widen(k, keys[piece]);
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const uint32_t a[4] = {query[piece][2 * half], Storage::QUERY_LOW ? queryLow[piece][2 * half] : 0,
                               query[piece][2 * half + 1],
                               Storage::QUERY_LOW ? queryLow[piece][2 * half + 1] : 0};
        multiplyAdd<Number>(c, a, k[2 * half], k[2 * half + 1]);
      }
    }
#pragma unroll
    for (int i = 0; i < 2; i++)
      scores[i] = (Storage::QUERY_LOW ? c[i] + c[i + 2] : c[i]) * p.softmaxScaleLog2;
  }

  // Adds the keys from `first` on, of which `count` > 0 are there; `base` is the row of key 0.
  __device__ void add(int64_t base, int first, int count) {
    const int64_t row = base + first;
    typename Storage::Chunk keys[2][PIECES], values[4][SEGMENTS];
    loadKeys(keys, row, count);
    if (EARLY_VALUES) {
#pragma unroll
      for (int segment = 0; segment < SEGMENTS; segment++) loadValues(values, segment, row, count);
    }
    float weights[4];
    weigh(weights, keys, row, count);
    uint32_t a[4];
#pragma unroll
    for (int n = 0; n < 2; n++) {
      float w[2];
#pragma unroll
      for (int i = 0; i < 2; i++)
        w[i] = weights[2 * n + i] * Storage::scale(p.valueScales, row + 8 * n + 2 * t + i,
                                                   8 * n + 2 * t + i < count);
      packBoth<Number>(a[2 * n], a[2 * n + 1], w[0], w[1]);
    }
#pragma unroll
    for (int segment = 0; segment < SEGMENTS; segment++) {
      if (!EARLY_VALUES) loadValues(values, segment, row, count);
      uint32_t v[4][4];
#pragma unroll
      for (int i = 0; i < 4; i++) Storage::widen(v[i], values[i][segment]);
#pragma unroll
      for (int j = 0; j < 8; j++) {
        const uint32_t halves = j % 2 == 0 ? 0x5410 : 0x7632;
        multiplyAdd<Number>(sums.of[segment][j], a, __byte_perm(v[0][j / 2], v[1][j / 2], halves),
                            __byte_perm(v[2][j / 2], v[3][j / 2], halves));
      }
    }
  }

 private:
  // The keys whose weights this thread holds.
  __device__ int keyOf(int i) const { return i / 2 * 8 + 2 * t + i % 2; }

  __device__ void loadKeys(typename Storage::Chunk (&keys)[2][PIECES], int64_t row,
                           int count) const {
    const auto* here = Storage::at(p.keys, row * p.headDim);
#pragma unroll
    for (int n = 0; n < 2; n++)
#pragma unroll
      for (int piece = 0; piece < PIECES; piece++) {
        const int d = piece * 32 + t * CHUNK;
        keys[n][piece] = Storage::load(here + (8 * n + g) * p.headDim + d,
                                       8 * n + g < count && d < p.headDim);
      }
  }

  __device__ void loadValues(typename Storage::Chunk (&values)[4][SEGMENTS], int segment,
                             int64_t row, int count) const {
    const auto* here = Storage::at(p.values, row * p.headDim);
    const int d = segment * 64 + g * CHUNK;
#pragma unroll
    for (int i = 0; i < 4; i++)
      values[i][segment] = Storage::load(here + keyOf(i) * p.headDim + d,
                                         keyOf(i) < count && d < p.headDim);
  }

  __device__ void weigh(float (&weights)[4], const typename Storage::Chunk (&keys)[2][PIECES],
                        int64_t row, int count) {
    float scores[4];
#pragma unroll
    for (int n = 0; n < 2; n++) {
      float two[2];
      score(two, keys[n]);
#pragma unroll
      for (int i = 0; i < 2; i++) {
        const int key = 8 * n + 2 * t + i;
        const bool present = key < count;
        const float scaled = two[i] * Storage::scale(p.keyScales, row + key, present);
        scores[2 * n + i] = present ? scaled : LEAST;
      }
    }
    float most = fmaxf(fmaxf(scores[0], scores[1]), fmaxf(scores[2], scores[3]));
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
    most = fmaxf(most, greatest);
    const float factor = exp2f(greatest - most);
    if (__any_sync(0xffffffffu, factor != 1)) {
      sums.scale(factor);
      total *= factor;
    }
    greatest = most;
#pragma unroll
    for (int i = 0; i < 4; i++) {
      weights[i] = exp2f(scores[i] - most);
      total += weights[i];
    }
  }
};

template <class Storage, int DIMS>
__device__ void decode(const DecodeParams& p) {
  const Splits splits(p);
  if (int(blockIdx.x) >= splits.used) return;
  const int group = p.queryHeads / p.keyValueHeads;
  const int shared = blockIdx.y, firstHead = shared * group + blockIdx.z * GROUP;
  const int heads = min(GROUP, (shared + 1) * group - firstHead);
  const int warp = threadIdx.x / 32;
  WarpAttention<Storage, DIMS> part(p);
  part.loadQuery(firstHead, heads);
  const int first = int(blockIdx.x) * splits.tilesEach * TILE;
  const int end = min(splits.keyTokens, first + splits.tilesEach * TILE);
  for (int key = first + warp * STEP; key < end; key += TILE)
    part.add(shared * p.keyCapacity, key, min(STEP, end - key));

  // The warps add up through shared memory. A warp without keys has -infinity and zeros.
  __shared__ float ofWarps[WARPS][GROUP][DIMS];
  __shared__ float greatest[WARPS][GROUP], total[WARPS][GROUP];
  part.total = sumOfLanes<4>(part.total);
  if (part.t == 0) {
    greatest[warp][part.g] = part.greatest;
    total[warp][part.g] = part.total;
  }
#pragma unroll
  for (int segment = 0; segment < DIMS / 64; segment++)
#pragma unroll
    for (int j = 0; j < 8; j++) {
      const float(&sum)[4] = part.sums.of[segment][j];
      float* to = &ofWarps[warp][part.g][segment * 64 + 16 * part.t + j];
      to[0] = sum[0] + sum[2];
      to[8] = sum[1] + sum[3];
    }
  __syncthreads();
  for (int i = threadIdx.x; i < heads * DIMS; i += DECODE_THREADS) {
    const int head = i / DIMS, d = i % DIMS;
    float most = LEAST;
#pragma unroll
    for (int w = 0; w < WARPS; w++) most = fmaxf(most, greatest[w][head]);
    float sum = 0, all = 0;
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
      const float factor = total[w][head] == 0 ? 0 : exp2f(greatest[w][head] - most);
      sum += ofWarps[w][head][d] * factor;
      all += total[w][head] * factor;
    }
    const int64_t slot = int64_t(firstHead + head) * p.splits + blockIdx.x;
    if (d < p.headDim) p.partial[slot * p.headDim + d] = sum;
    if (d == 0) p.weights[slot] = make_float2(most, all);
  }
}

// Adds the splits of each head up: a thread block per head, four numbers a thread.
template <class Element>
__device__ void merge(const DecodeParams& p) {
  __shared__ float factors[MOST_SPLITS];
  __shared__ float ofWarps[MERGE_THREADS / 32];
  __shared__ float4 ofRows[MERGE_THREADS];
  const int used = Splits(p).used, head = blockIdx.x;
  const float2* weights = p.weights + int64_t(head) * p.splits;
  const bool present = int(threadIdx.x) < used;
  const float2 own = present ? weights[threadIdx.x] : make_float2(LEAST, 0);
  float greatest = own.x;
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2)
    greatest = fmaxf(greatest, __shfl_xor_sync(0xffffffffu, greatest, distance));
  if (threadIdx.x % 32 == 0) ofWarps[threadIdx.x / 32] = greatest;
  __syncthreads();
#pragma unroll
  for (int warp = 0; warp < MERGE_THREADS / 32; warp++) greatest = fmaxf(greatest, ofWarps[warp]);
  const float factor = present ? exp2f(own.x - greatest) : 0;
  factors[threadIdx.x] = factor;
  const float total = sumOfBlock<MERGE_THREADS / 32>(own.y * factor);

  const int quads = p.headDim / 4, rows = MERGE_THREADS / quads;
  const int row = int(threadIdx.x) / quads, quad = int(threadIdx.x) % quads;
  float sum[4] = {};
  for (int split = row; split < used && row < rows; split += rows) {
    float part[4];
    load(part, p.partial + (int64_t(head) * p.splits + split) * p.headDim + quad * 4);
#pragma unroll
    for (int i = 0; i < 4; i++) sum[i] += part[i] * factors[split];
  }
  ofRows[threadIdx.x] = make_float4(sum[0], sum[1], sum[2], sum[3]);
  __syncthreads();
  if (row > 0) return;
  float4 all = ofRows[quad];
  for (int other = 1; other < rows; other++) {
    const float4 more = ofRows[other * quads + quad];
    all = make_float4(all.x + more.x, all.y + more.y, all.z + more.z, all.w + more.w);
  }
  const float scaled[4] = {all.x / total, all.y / total, all.z / total, all.w / total};
  store(static_cast<Element*>(p.out) + int64_t(head) * p.headDim + quad * 4, scaled);
}

// Rows of K (0) and V (1) of a layer between 16 bits and 8: a warp per row, K and V side by side in the grid's second axis.
struct ConvertParams {
  const void* from[2];    // [keyValueHeads][fromCapacity][headDim]
  void* to[2];            // [keyValueHeads][toCapacity][headDim]
  float* scales[2];       // [keyValueHeads][capacity of the 8-bit side]
  int64_t fromCapacity, toCapacity;
  int64_t first, count;   // tokens
  const int* position;    // is added to `first`, or null
  int keyValueHeads, headDim;
};
static_assert(sizeof(ConvertParams) == 96, "DecodeKernels.java fills it");

constexpr int CONVERT_THREADS = 256;

// Head and token of this warp's row; false if there is none.
__device__ inline bool rowOfWarp(const ConvertParams& p, int64_t& head, int64_t& token) {
  const int64_t index = (int64_t(blockIdx.x) * CONVERT_THREADS + threadIdx.x) / 32;
  head = index / p.count;
  token = p.first + index - head * p.count + (p.position == nullptr ? 0 : *p.position);
  return head < p.keyValueHeads;
}

template <class Element>
__device__ void narrow(const ConvertParams& p) {
  int64_t head, token;
  if (!rowOfWarp(p, head, token)) return;
  const int side = blockIdx.y, d = int(threadIdx.x) % 32 * CHUNK;
  const int64_t from = (head * p.fromCapacity + token) * p.headDim + d;
  const int64_t to = (head * p.toCapacity + token) * p.headDim + d;
  float x[CHUNK] = {};
  if (d < p.headDim) load(x, static_cast<const Element*>(p.from[side]) + from);
  const float scale = e4m3Scale(x);
  if (d < p.headDim)
    *reinterpret_cast<uint2*>(static_cast<uint8_t*>(p.to[side]) + to) = toE4m3(x, scale);
  if (threadIdx.x % 32 == 0) p.scales[side][head * p.toCapacity + token] = scale;
}

template <class Element>
__device__ void widen(const ConvertParams& p) {
  int64_t head, token;
  if (!rowOfWarp(p, head, token)) return;
  const int side = blockIdx.y, d = int(threadIdx.x) % 32 * CHUNK;
  if (d >= p.headDim) return;
  const int64_t row = head * p.fromCapacity + token;
  uint32_t words[4];
  E4m3<Element>::widen(
      words, E4m3<Element>::load(E4m3<Element>::at(p.from[side], row * p.headDim + d), true));
  const float scale = p.scales[side][row];
  float x[CHUNK];
#pragma unroll
  for (int i = 0; i < CHUNK; i++)
    x[i] = __uint_as_float(i % 2 == 0 ? words[i / 2] << 16 : words[i / 2] & 0xffff0000u) * scale;
  store(static_cast<Element*>(p.to[side]) + (head * p.toCapacity + token) * p.headDim + d, x);
}

}  // namespace heddle::decoder

#define HEDDLE_DECODE_KERNEL(NAME, STORAGE, DIMS, BLOCKS)                                          \
  extern "C" __global__ void __launch_bounds__(heddle::decoder::DECODE_THREADS, BLOCKS)            \
      heddle_decode_##NAME##_##DIMS(const heddle::decoder::DecodeParams p) {                       \
    heddle::decoder::decode<STORAGE, DIMS>(p);                                                     \
  }

// Head dims up to DIMS. Thread blocks on a multiprocessor are as many as registers allow: DecodeKernels.java counts on them.
#define HEDDLE_DECODE_KERNELS(NAME, STORAGE, BLOCKS) \
  HEDDLE_DECODE_KERNEL(NAME, STORAGE, 64, 4)         \
  HEDDLE_DECODE_KERNEL(NAME, STORAGE, 128, BLOCKS)   \
  HEDDLE_DECODE_KERNEL(NAME, STORAGE, 256, 2)

#define HEDDLE_CACHE_KERNELS(TYPE, ELEMENT)                                                        \
  HEDDLE_DECODE_KERNELS(TYPE, heddle::decoder::Plain<ELEMENT>, 2)                                  \
  HEDDLE_DECODE_KERNELS(TYPE##_e4m3, heddle::decoder::E4m3<ELEMENT>, 3)                            \
  extern "C" __global__ void __launch_bounds__(heddle::decoder::MERGE_THREADS)                     \
      heddle_merge_##TYPE(const heddle::decoder::DecodeParams p) {                                 \
    heddle::decoder::merge<ELEMENT>(p);                                                            \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(heddle::decoder::CONVERT_THREADS)                   \
      heddle_narrow_##TYPE(const heddle::decoder::ConvertParams p) {                               \
    heddle::decoder::narrow<ELEMENT>(p);                                                           \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(heddle::decoder::CONVERT_THREADS)                   \
      heddle_widen_##TYPE(const heddle::decoder::ConvertParams p) {                                \
    heddle::decoder::widen<ELEMENT>(p);                                                            \
  }

HEDDLE_CACHE_KERNELS(bf16, heddle::BFloat)
HEDDLE_CACHE_KERNELS(f16, heddle::Half)
