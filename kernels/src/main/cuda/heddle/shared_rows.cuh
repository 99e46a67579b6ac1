// Rows of 16-bit numbers in shared memory, and how they get there.
#pragma once

#include "heddle/elements.cuh"
#include "heddle/keys.cuh"

namespace heddle {

// Rows of HeadDim 16-bit numbers, in chunks of 8 (16 bytes). The chunks of a row are permuted by an
// exclusive or with its number, so that the eight rows that one matrix load reads at the same chunk lie
// in different banks: rows of a multiple of 128 bytes all start in the same bank, those of an odd
// multiple of 64 bytes (HeadDim 96) in two.
template <int HeadDim>
struct SharedRows {
  static_assert(HeadDim % 32 == 0);
  static constexpr int kChunks = HeadDim / 8;
  static constexpr int kRowBytes = HeadDim * 2;

  // Byte offset of a chunk.
  __device__ static uint32_t offset(int row, int chunk) {
    const int permutation = HeadDim % 64 == 0 ? row & 7 : row >> 1 & 3;
    return uint32_t(row * kRowBytes + (chunk ^ permutation) * 16);
  }

  // What ldmatrix needs of a lane, for the matrices of a 16 x 16 tile whose first row is a multiple of
  // 8: with rows in the first index of the product (Q, and V transposed)...
  __device__ static int laneRow(int lane) { return lane & 15; }
  __device__ static int laneChunk(int lane) { return lane >> 4; }

  // ... and with rows in the second index (K).
  __device__ static int laneKey(int lane) { return (lane & 7) + (lane >> 4) * 8; }
  __device__ static int laneKeyChunk(int lane) { return lane >> 3 & 1; }
};

// Rows of one head in device memory.
struct HeadRows {
  const char* first;  // of the sequence
  int strideBytes;

  template <class Element>
  __device__ static HeadRows of(const void* tensor, int head, int64_t headStride, int firstRow,
                                int64_t tokenStride) {
    const Element* rows = static_cast<const Element*>(tensor);
    return {reinterpret_cast<const char*>(rows + head * headStride + firstRow * tokenStride),
            int(tokenStride * sizeof(Element))};
  }

  __device__ const char* row(int index) const { return first + int64_t(index) * strideBytes; }
};

// Calls visit(row, chunk) for this thread's share of Rows x Chunks; neighbouring threads take
// neighbouring chunks, and a thread the same chunk of every row that it takes. Where the chunks of a row
// are no power of two some threads take none: that costs less than to work out an uneven share.
template <int Rows, int Chunks, int Threads, class Visit>
__device__ inline void forOwnChunks(Visit visit) {
  constexpr int kLanes = Chunks <= 8 ? 8 : Chunks <= 16 ? 16 : Chunks <= 32 ? 32 : 64;
  constexpr int kRowsAtOnce = Threads / kLanes;
  static_assert(Chunks <= kLanes && Threads % kLanes == 0 && Rows % kRowsAtOnce == 0);
  const int firstRow = threadIdx.x / kLanes;
  const int chunk = threadIdx.x % kLanes;
  if (Chunks == kLanes || chunk < Chunks) {
#pragma unroll
    for (int row = 0; row < Rows; row += kRowsAtOnce) {
      visit(firstRow + row, chunk);
    }
  }
}

// Starts the copy of a tile of keys (or of their values) to shared memory. What the tile does not have
// (keys from count on, dimensions from headDim on) becomes zero. `positions` lists the keys where the
// tile is one of columns.
template <int TileKeys, int HeadDim, int Threads, bool Gathers>
__device__ inline void copyTile(uint32_t target, const HeadRows& source, const KeyTile& tile,
                                const int32_t* positions, int headDim) {
  using Rows = SharedRows<HeadDim>;
  forOwnChunks<TileKeys, Rows::kChunks, Threads>([&](int row, int chunk) {
    const bool valid = row < tile.count && chunk * 8 < headDim;
    int key = tile.firstKey() + row;
    if (Gathers && tile.isColumns()) {
      key = positions[row] & kKeyBits;
    }
    copyChunk(target + Rows::offset(row, chunk), source.row(valid ? key : 0) + (valid ? chunk * 16 : 0),
              valid);
  });
}

}  // namespace heddle
