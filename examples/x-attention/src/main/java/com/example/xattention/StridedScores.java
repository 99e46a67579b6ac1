package com.example.xattention;

import dev.heddle.api.DotProducts;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Scores of strided rows with strided keys: sums over antidiagonals of squares of {@code stride} x
 * {@code stride} scores,
 *
 * <pre>{@code
 * score(I, J) = softmaxScale / stride · Σ over t of q(first(I) + stride - 1 - t) · k(J stride + t)
 * }</pre>
 *
 * <p>as products of rows of {@code stride · headDim} numbers. The rows of each query block are
 * grouped from its first query on; what a group or the end of the keys does not have counts as
 * zero.
 *
 * <p>Not safe for use by several threads.
 */
final class StridedScores {
  /** Strided keys that are scored at a time. */
  private static final int KEYS_AT_ONCE = 512;

  private final HeadInputs head;
  private final int stride;
  private final int width;
  private final int stridedKeys;

  StridedScores(HeadInputs head, int stride) {
    this.head = head;
    this.stride = stride;
    this.width = Math.multiplyExact(stride, head.shape().headDim());
    this.stridedKeys = Math.ceilDiv(head.shape().keyTokens(), stride);
  }

  /** Strided rows of a query block that is not cut off. */
  int rowsOfBlock() {
    return Math.ceilDiv(head.blocks().queryRows(), stride);
  }

  /**
   * Scores of {@code count} query blocks from number {@code firstBlock} on: for each of their rows,
   * of all strided keys that begin no later than the last query.
   */
  float[][] ofBlocks(int firstBlock, int count) {
    int rows = count * rowsOfBlock();
    DotProducts products =
        new DotProducts(reversedQueries(firstBlock, rows), 0, rows, head.softmaxScale() / stride);
    long end = Math.min((firstBlock + (long) count) * head.blocks().queryRows(), queryTokens());
    int keys =
        Math.min(stridedKeys, (int) ((head.shape().firstQueryPosition() + end - 1) / stride) + 1);
    float[][] scores = new float[rows][keys];
    float[][] part = new float[rows][KEYS_AT_ONCE];
    for (int first = 0; first < keys; first += KEYS_AT_ONCE) {
      int found = Math.min(KEYS_AT_ONCE, keys - first);
      products.multiply(keyTile(first, found), 0, found, part);
      for (int row = 0; row < rows; row++) {
        System.arraycopy(part[row], 0, scores[row], first, found);
      }
    }
    return scores;
  }

  /** Of scores that {@link #ofBlocks} made, the rows of its {@code number}th block. */
  float[][] rows(float[][] scores, int number, int block) {
    int queries = Math.min(head.blocks().queryRows(), queryTokens() - firstQuery(block));
    int first = number * rowsOfBlock();
    return Arrays.copyOfRange(scores, first, first + Math.ceilDiv(queries, stride));
  }

  private HeadMatrix reversedQueries(int firstBlock, int rows) {
    int headDim = head.shape().headDim();
    float[] target = new float[Math.multiplyExact(rows, width)];
    for (int row = 0; row < rows; row++) {
      int block = firstBlock + row / rowsOfBlock();
      int inBlock = row % rowsOfBlock() * stride;
      long first = firstQuery(block) + (long) inBlock;
      int there = Math.min(stride, head.blocks().queryRows() - inBlock);
      int count = Math.clamp(queryTokens() - first, 0, there);
      for (int i = 0; i < count; i++) {
        head.queries()
            .copyRows((int) first + i, 1, target, row * width + (stride - 1 - i) * headDim);
      }
    }
    return matrix(target, rows);
  }

  private HeadMatrix keyTile(int first, int count) {
    float[] target = new float[Math.multiplyExact(count, width)];
    int tokens = Math.min(count * stride, head.shape().keyTokens() - first * stride);
    head.keys().copyRows(first * stride, tokens, target, 0);
    return matrix(target, count);
  }

  private HeadMatrix matrix(float[] numbers, int rows) {
    return HeadMatrix.contiguous(MemorySegment.ofArray(numbers), ElementType.FLOAT32, rows, width);
  }

  private int firstQuery(int block) {
    return block * head.blocks().queryRows();
  }

  private int queryTokens() {
    return head.shape().queryTokens();
  }
}
