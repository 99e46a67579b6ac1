package dev.heddle.pattern.ashape;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.BlockShape;

/**
 * Lists the keys {@code j} that some query of each query block requires, where the query at
 * position {@code p} requires {@code j < sink} and {@code p - j < local}.
 */
record AShapeIndexBuilder(int sink, int local) {
  BlockIndex build(AttentionShape shape, BlockShape blocks) {
    if (readsAll(shape)) {
      return BlockIndex.dense(shape, blocks);
    }
    BlockIndexBuilder index = BlockIndex.builder(shape, blocks);
    for (int row = 0; row < blocks.queryBlocks(shape.queryTokens()); row++) {
      index.addRange(0, sink);
      index.addRange(index.firstPosition() - local + 1L, index.visibleKeys());
      index.endRow();
    }
    return index.build();
  }

  /** Where sinks and window of the last query meet, those of every other query do as well. */
  boolean readsAll(AttentionShape shape) {
    return (long) sink + local >= shape.keyTokens();
  }
}
