package com.example.xattention;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.BlockShape;
import dev.heddle.api.HeadInputs;
import java.util.Arrays;

/**
 * Lists for each query block the fewest key blocks, aligned to key 0, that have {@code threshold}
 * of its mass: of the softmax weights of its strided rows, see {@link StridedScores}.
 */
record XAttentionIndexBuilder(int stride, double threshold, int sinkBlocks) {
  /** Strided rows that are scored at a time. */
  private static final int ROWS_AT_ONCE = 64;

  /** A score that is not a number counts as the least there is; the greatest is finite too. */
  private static final double MOST_SCORE = 1e30;

  BlockIndex build(HeadInputs head) {
    if (readsAll(head.shape(), head.blocks())) {
      return BlockIndex.dense(head.shape(), head.blocks());
    }
    int strideOfBlocks = strideFor(head.blocks());
    StridedScores scores = new StridedScores(head, strideOfBlocks);
    BlockIndexBuilder index = BlockIndex.builder(head.shape(), head.blocks());
    int queryBlocks = head.blocks().queryBlocks(head.shape().queryTokens());
    int blocksAtOnce = Math.max(1, ROWS_AT_ONCE / scores.rowsOfBlock());
    for (int first = 0; first < queryBlocks; first += blocksAtOnce) {
      int count = Math.min(blocksAtOnce, queryBlocks - first);
      float[][] rows = scores.ofBlocks(first, count);
      for (int block = 0; block < count; block++) {
        addRow(index, head.blocks(), scores.rows(rows, block, first + block), strideOfBlocks);
      }
    }
    return index.build();
  }

  /** Whether every key is read whatever the numbers are. */
  boolean readsAll(AttentionShape shape, BlockShape blocks) {
    return threshold >= 1 || sinkBlocks >= blocks.keyBlocks(shape.keyTokens());
  }

  /** A power of two, and no more than a block has in either direction. */
  private int strideFor(BlockShape blocks) {
    int most = Math.min(stride, Math.min(blocks.queryRows(), blocks.keyColumns()));
    return Integer.highestOneBit(most);
  }

  private void addRow(BlockIndexBuilder index, BlockShape blocks, float[][] rows, int rowStride) {
    int visible = blocks.keyBlocks(index.visibleKeys());
    int firstDiagonal = index.firstPosition() / blocks.keyColumns();
    int sinks = Math.min(sinkBlocks, firstDiagonal);
    double[] masses = new double[visible];
    for (int row = 0; row < rows.length; row++) {
      int seen = (index.firstPosition() + row * rowStride) / rowStride + 1;
      addMasses(rows[row], seen, rowStride, blocks, masses);
    }
    double needed = threshold * rows.length;
    for (int block = 0; block < visible; block++) {
      if (block < sinks || block >= firstDiagonal) {
        index.addBlock(block * blocks.keyColumns());
        needed -= masses[block];
      }
    }
    long[] free = new long[firstDiagonal - sinks];
    for (int i = 0; i < free.length; i++) {
      // The greatest mass first, and of equal ones the lower block.
      free[i] = (long) ~Float.floatToIntBits((float) masses[sinks + i]) << 32 | (sinks + i);
    }
    Arrays.sort(free);
    for (int i = 0; i < free.length && needed > 0 && masses[(int) free[i]] > 0; i++) {
      index.addBlock((int) free[i] * blocks.keyColumns());
      needed -= masses[(int) free[i]];
    }
    index.endRow();
  }

  /**
   * Adds the softmax weights of the first {@code seen} strided keys to the blocks they begin in.
   */
  private static void addMasses(
      float[] scores, int seen, int rowStride, BlockShape blocks, double[] masses) {
    double greatest = -MOST_SCORE;
    for (int key = 0; key < seen; key++) {
      greatest = Math.max(greatest, finite(scores[key]));
    }
    double sum = 0;
    for (int key = 0; key < seen; key++) {
      sum += Math.exp(finite(scores[key]) - greatest);
    }
    for (int key = 0; key < seen; key++) {
      int block = (int) ((long) key * rowStride / blocks.keyColumns());
      masses[block] += Math.exp(finite(scores[key]) - greatest) / sum;
    }
  }

  private static double finite(float score) {
    return Float.isNaN(score) ? -MOST_SCORE : Math.clamp(score, -MOST_SCORE, MOST_SCORE);
  }
}
