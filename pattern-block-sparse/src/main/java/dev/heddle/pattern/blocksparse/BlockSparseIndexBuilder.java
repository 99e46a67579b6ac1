package dev.heddle.pattern.blocksparse;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.BlockShape;
import dev.heddle.api.DotProducts;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.TopScores;
import java.util.Arrays;

/**
 * Lists for each query block the key blocks, aligned to key 0, with the greatest scores {@code
 * scale · mean(q) · mean(k)}. Softmax keeps the order of the scores of one query block, so there is
 * no need to compute it.
 */
record BlockSparseIndexBuilder(int keptBlocks, int sinkBlocks) {
  /** Query blocks that are scored at a time, which bounds the memory for scores. */
  private static final int ROWS_PER_GROUP = 64;

  BlockIndex build(HeadInputs head) {
    AttentionShape shape = head.shape();
    BlockShape blocks = head.blocks();
    if (Math.max(keptBlocks, sinkBlocks) >= blocks.keyBlocks(shape.keyTokens())) {
      return BlockIndex.dense(shape, blocks);
    }
    HeadMatrix meanQueries = BlockMeans.of(head.queries(), blocks.queryRows());
    HeadMatrix meanKeys = BlockMeans.of(head.keys(), blocks.keyColumns());
    BlockIndexBuilder index = BlockIndex.builder(shape, blocks);
    float[][] scores = new float[Math.min(ROWS_PER_GROUP, meanQueries.tokens())][meanKeys.tokens()];
    for (int first = 0; first < meanQueries.tokens(); first += ROWS_PER_GROUP) {
      int rows = Math.min(ROWS_PER_GROUP, meanQueries.tokens() - first);
      int visible = visibleBlocks(shape, blocks, first + rows - 1);
      new DotProducts(meanQueries, first, rows, head.softmaxScale())
          .multiply(meanKeys, 0, visible, scores);
      for (int row = 0; row < rows; row++) {
        addRow(index, blocks, scores[row]);
      }
    }
    return index.build();
  }

  private void addRow(BlockIndexBuilder index, BlockShape blocks, float[] scores) {
    int visible = blocks.keyBlocks(index.visibleKeys());
    int firstDiagonal = index.firstPosition() / blocks.keyColumns();
    int sinks = Math.min(sinkBlocks, firstDiagonal);
    for (int block = sinks; block < firstDiagonal; block++) {
      scores[block] = Math.min(scores[block], Float.MAX_VALUE); // below what is forced
    }
    Arrays.fill(scores, 0, sinks, Float.POSITIVE_INFINITY);
    Arrays.fill(scores, firstDiagonal, visible, Float.POSITIVE_INFINITY);
    int forced = sinks + visible - firstDiagonal;
    for (int block : TopScores.select(scores, visible, Math.max(keptBlocks, forced))) {
      index.addBlock(block * blocks.keyColumns());
    }
    index.endRow();
  }

  /** Key blocks of which the last query of row {@code row} sees at least one key. */
  private static int visibleBlocks(AttentionShape shape, BlockShape blocks, int row) {
    long endQuery = Math.min((row + 1L) * blocks.queryRows(), shape.queryTokens());
    return blocks.keyBlocks(Math.toIntExact(shape.firstQueryPosition() + endQuery));
  }
}
