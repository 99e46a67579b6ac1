// A-shape: the query at position p reads the keys j < sink and the keys p - local < j <= p.
//
// The kernel works out the rows of the index as it goes: nothing is built or read. A row speaks for a
// whole query block, at positions P to Q, which therefore reads
//
//     j < sink, and P - local < j <= Q,
//
// where a sink that ends inside a block of 64 keys takes in all of that block if it fills at least half
// of it. That is what AShapeIndexBuilder lists on the host.
//
// options[slot]: {sink, local}. See heddle/attention.cuh for formula, tensors and launch geometry.

#include "heddle/attention.cuh"

namespace {

template <int TileKeys>
struct AShapeKeys {
  static constexpr bool kGathers = false;

  int sinkEnd;
  int sinkTiles;
  int windowStart;
  int visibleKeys;

  template <class Tile>
  __device__ AShapeKeys(const heddle::AttentionParams& params, const Tile& queries)
      : visibleKeys(queries.visibleKeys) {
    const int sink = params.options[queries.slot * params.optionCount];
    const int local = params.options[queries.slot * params.optionCount + 1];
    const heddle::QueryBlock block(queries.sequence, queries.queryBlock);
    const int window = max(0, block.firstPosition - local + 1);
    // Where window and sinks touch there is one range from key 0 on.
    sinkEnd = window <= sink ? 0 : min(wholeBlocks(sink), window);
    windowStart = window <= sink ? 0 : window;
    sinkTiles = (sinkEnd + TileKeys - 1) / TileKeys;
  }

  __device__ int tiles() const {
    return sinkTiles + (max(0, visibleKeys - windowStart) + TileKeys - 1) / TileKeys;
  }

  __device__ heddle::KeyTile tile(int i) const {
    return i < sinkTiles
               ? heddle::keyRange<TileKeys>(i * TileKeys, sinkEnd - i * TileKeys, visibleKeys)
               : heddle::keyRange<TileKeys>(windowStart + (i - sinkTiles) * TileKeys, TileKeys,
                                            visibleKeys);
  }

 private:
  // The end of the blocks of a range from key 0 on: a rest of less than half a block stays as it is.
  __device__ static int wholeBlocks(int end) {
    const int rest = end % heddle::kKeyColumns;
    return 2 * rest < heddle::kKeyColumns ? end : end - rest + heddle::kKeyColumns;
  }
};

}  // namespace

HEDDLE_ATTENTION_KERNELS(a_shape, AShapeKeys)
