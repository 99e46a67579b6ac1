package dev.heddle.pattern.blocksparse;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import java.lang.foreign.MemorySegment;

/** Means over blocks of neighbouring rows: one pass over the matrix. */
final class BlockMeans {
  private BlockMeans() {}

  /**
   * The mean of every {@code blockTokens} rows, float32 {@code [blocks][headDim]}; of the last
   * block over the rows that it has.
   */
  static HeadMatrix of(HeadMatrix matrix, int blockTokens) {
    int headDim = matrix.headDim();
    int blocks = Math.ceilDiv(matrix.tokens(), blockTokens);
    float[] means = new float[Math.multiplyExact(blocks, headDim)];
    float[] rows = new float[Math.multiplyExact(Math.min(blockTokens, matrix.tokens()), headDim)];
    for (int block = 0; block < blocks; block++) {
      int first = block * blockTokens;
      int count = Math.min(blockTokens, matrix.tokens() - first);
      matrix.copyRows(first, count, rows, 0);
      addRows(rows, count, means, block * headDim, headDim);
    }
    return HeadMatrix.contiguous(
        MemorySegment.ofArray(means), ElementType.FLOAT32, blocks, headDim);
  }

  private static void addRows(float[] rows, int count, float[] means, int offset, int headDim) {
    for (int row = 0; row < count; row++) {
      for (int dim = 0; dim < headDim; dim++) {
        means[offset + dim] += rows[row * headDim + dim];
      }
    }
    for (int dim = 0; dim < headDim; dim++) {
      means[offset + dim] /= count;
    }
  }
}
