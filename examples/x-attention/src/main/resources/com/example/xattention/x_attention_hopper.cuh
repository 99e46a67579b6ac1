// Scores of 16-bit numbers by the products of compute capability 9.0: 128 rows x 256 keys as in
// ScoreProduct. One warpgroup brings rows to shared memory, two multiply 64 rows with all keys each.
#pragma once

#include "heddle/hopper_shape.cuh"
#include "x_attention_scores.cuh"

#ifdef HEDDLE_HOPPER

namespace xattention {

template <class Element>
struct HopperScoreProduct {
  using Tiles = ScoreProduct<Element, 4>;
  using Tile = typename Tiles::Tile;
  static constexpr int kStages = 4;
  static constexpr int kThreads = 384;
  static constexpr int kProducerThreads = 128;
  static constexpr int kConsumerWarps = 8;
  static constexpr int kQueryBytes = Tiles::kRows * heddle::kPanelRowBytes;
  static constexpr int kStageBytes = Tiles::kStageBytes;
  static constexpr int kSharedBytes = kStages * kStageBytes + 16 * kStages + 1024;
  // Of 168 registers a thread that the thread block is launched with.
  static constexpr int kProducerRegisters = 72;
  static constexpr int kConsumerRegisters = 216;
  static_assert(kProducerRegisters + 2 * kConsumerRegisters == 3 * 168);

  const Tile& tile;
  const AttentionParams& attention;
  const int panels;
  const int steps;
  uint32_t shared;

  __device__ HopperScoreProduct(const AttentionParams& params, const Tile& ofBlock, const void* memory)
      : tile(ofBlock),
        attention(params),
        panels((params.headDim + heddle::kPanelDims - 1) / heddle::kPanelDims),
        steps(tile.stride * panels),
        shared((heddle::sharedAddress(memory) + 1023) & ~1023u) {}

  __device__ uint32_t full(int stage) const { return shared + kStages * kStageBytes + 8 * stage; }
  __device__ uint32_t free(int stage) const { return full(kStages + stage); }

  __device__ void run() {
    if (threadIdx.x == 0) {
      for (int stage = 0; stage < kStages; stage++) {
        heddle::makeBarrier(full(stage), kProducerThreads);
        heddle::makeBarrier(free(stage), kConsumerWarps);
      }
      heddle::fenceNewBarriers();
    }
    __syncthreads();
    if (threadIdx.x < kProducerThreads) {
      heddle::giveRegisters<kProducerRegisters>();
      bring();
    } else {
      heddle::takeRegisters<kConsumerRegisters>();
      multiply();
    }
  }

 private:
  // One antidiagonal after the other, some dimensions of it at a time. A thread has the same chunk of every
  // row that it copies.
  __device__ void bring() const {
    const heddle::HeadRows queries =
        heddle::HeadRows::of<Element>(attention.queries, tile.queryHead, attention.queryHeadStride,
                                      tile.sequence.firstQuery, attention.queryTokenStride);
    const heddle::HeadRows keys =
        heddle::HeadRows::of<Element>(attention.keys, tile.keyValueHead, attention.keyHeadStride,
                                      tile.sequence.firstKey, attention.keyTokenStride);
    heddle::Ring<kStages> ring;
    for (int step = 0; step < steps; step++) {
      const int t = step / panels;
      const int firstDim = (step - t * panels) * heddle::kPanelDims;
      heddle::waitAt(free(ring.stage()), ring.parity() ^ 1);
      const uint32_t target = shared + ring.stage() * kStageBytes;
      copy<Tiles::kRows>(target, queries, tile.firstRow * tile.stride + tile.stride - 1 - t,
                         tile.sequence.queryTokens, firstDim);
      copy<Tiles::kKeys>(target + kQueryBytes, keys, tile.firstKey * tile.stride + t, tile.sequence.keyTokens,
                         firstDim);
      heddle::arriveAfterCopies(full(ring.stage()));
      ring.advance();
    }
  }

  template <int Rows>
  __device__ void copy(uint32_t target, const heddle::HeadRows& source, int firstToken, int tokens,
                       int firstDim) const {
    heddle::forOwnChunks<Rows, 8, kProducerThreads>([&](int row, int chunk) {
      const int token = firstToken + row * tile.stride;
      const int dim = firstDim + chunk * 8;
      const bool valid = token < tokens && dim < attention.headDim;
      heddle::copyChunk(target + heddle::panelOffset(row, chunk),
                        source.row(valid ? token : 0) + (valid ? dim * 2 : 0), valid);
    });
  }

  __device__ void multiply() const {
    constexpr int kChunkBytes = 32;  // of 16 numbers, which one product sums over
    const int group = threadIdx.x / 128 - 1;
    float sums[128];
    heddle::Ring<kStages> ring;
    int done = -1;  // the stage that the last product but one read
    for (int step = 0; step < steps; step++) {
      heddle::waitAt(full(ring.stage()), ring.parity());
      heddle::fenceForAsync();
      const uint32_t rows = shared + ring.stage() * kStageBytes;
      const uint32_t own = rows + group * 64 * heddle::kPanelRowBytes;
      heddle::pin(sums);
      heddle::beginProducts();
#pragma unroll
      for (int i = 0; i < heddle::kPanelDims / 16; i++) {
        heddle::GroupProduct<Element, 256>::fromShared(
            sums, heddle::describe(own + i * kChunkBytes, 0),
            heddle::describe(rows + kQueryBytes + i * kChunkBytes, 0), step > 0 || i > 0);
      }
      heddle::commitProducts();
      heddle::waitForProducts<1>();
      if (done >= 0 && threadIdx.x % 32 == 0) {
        heddle::arriveAt(free(done));
      }
      done = ring.stage();
      ring.advance();
    }
    heddle::waitForProducts<0>();
    heddle::pin(sums);
    store(sums, group);
  }

  __device__ void store(const float (&sums)[128], int group) const {
    const int lane = threadIdx.x % 32;
    const int firstRow = group * 64 + threadIdx.x / 32 % 4 * 16 + lane / 4;
#pragma unroll
    for (int i = 0; i < 64; i++) {
      const int row = firstRow + i % 2 * 8;
      const int key = i / 2 * 8 + lane % 4 * 2;
      const float first = sums[i / 2 * 4 + i % 2 * 2];
      const float second = sums[i / 2 * 4 + i % 2 * 2 + 1];
      tile.store(row, key, tile.score(row, key, first), tile.score(row, key + 1, second));
    }
  }
};

}  // namespace xattention

#endif
