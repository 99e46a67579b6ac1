// Which keys a query tile reads. A policy yields them as tiles of at most TileKeys keys; the main loop
// asks for nothing else, so this is the part that a pattern replaces.
//
//   struct Policy {
//     static constexpr bool kGathers;             // whether tiles of single columns occur
//     template <class Tile> __device__ Policy(const AttentionParams&, const Tile& queries);
//     __device__ int tiles() const;
//     __device__ KeyTile tile(int i) const;       // for 0 <= i < tiles()
//     const int32_t* columns;                     // if it gathers: entries as an index has them
//   };
//
// No key comes twice and none lies above the tile's last query.
#pragma once

#include "heddle/lengths.cuh"

namespace heddle {

// At most TileKeys keys: neighbours from `first` on or, if `first` is negative, those that the policy's
// list of columns holds from number ~first on. (One number for both: a pointer per tile in flight costs
// registers.) `count` is not positive for a tile that no query of the query tile sees.
struct KeyTile {
  int first;  // of neighbours: an entry of blockStarts, or a key
  int count;

  __device__ bool isColumns() const { return first < 0; }
  __device__ int firstColumn() const { return ~first; }
  __device__ int firstKey() const { return first & kKeyBits; }

  // Whether that half of the queries of an index row reads it, or perhaps some of its columns.
  __device__ bool isReadBy(int half) const { return isColumns() || heddle::isReadBy(first, half); }
};

// Neighbouring keys from first on, cut off at the end of what the query tile sees.
template <int TileKeys>
__device__ inline KeyTile keyRange(int first, int count, int visibleKeys) {
  return {first, min(min(count, TileKeys), visibleKeys - (first & kKeyBits))};
}

// Every key up to the query's own position.
template <int TileKeys>
struct DenseKeys {
  static constexpr bool kGathers = false;
  int visibleKeys;

  template <class Tile>
  __device__ DenseKeys(const AttentionParams&, const Tile& queries)
      : visibleKeys(queries.visibleKeys) {}

  __device__ int tiles() const { return (visibleKeys + TileKeys - 1) / TileKeys; }

  __device__ KeyTile tile(int i) const {
    return keyRange<TileKeys>(i * TileKeys, TileKeys, visibleKeys);
  }
};

// The blocks and columns that an index lists as compressed rows.
template <int TileKeys>
struct RowKeys {
  static constexpr bool kGathers = true;
  static constexpr int kTilesPerBlock = kKeyColumns / TileKeys;
  static_assert(kKeyColumns % TileKeys == 0);

  const int32_t* starts;
  const int32_t* columns;
  int blockTiles;
  int columnCount;
  int visibleKeys;

  template <class Tile>
  __device__ RowKeys(const AttentionParams& params, const Tile& queries)
      : visibleKeys(queries.visibleKeys) {
    const int64_t row = queries.indexRow;
    const int64_t firstBlock = params.blockOffsets[row];
    const int64_t firstColumn = params.columnOffsets[row];
    starts = params.blockStarts + firstBlock;
    columns = params.columns + firstColumn;
    blockTiles = int(params.blockOffsets[row + 1] - firstBlock) * kTilesPerBlock;
    columnCount = int(params.columnOffsets[row + 1] - firstColumn);
  }

  __device__ int tiles() const { return blockTiles + (columnCount + TileKeys - 1) / TileKeys; }

  __device__ KeyTile tile(int i) const {
    if (i < blockTiles) {
      const int first = starts[i / kTilesPerBlock] + i % kTilesPerBlock * TileKeys;
      return keyRange<TileKeys>(first, TileKeys, visibleKeys);
    }
    const int done = (i - blockTiles) * TileKeys;
    return {~done, min(TileKeys, columnCount - done)};
  }
};

}  // namespace heddle
