package dev.heddle.cli;

import java.util.Arrays;

/**
 * What one head attends to, as an image of {@link #size} × {@link #size} pixels in which no weight
 * is lost: of the cells (query, key) that a pixel stands for, the largest weight is kept, apart for
 * the cells that an index covers and for those that it does not. Token t of n is in row or column
 * {@code t * size / n}, so that every pixel stands for at least one token.
 */
final class AttentionMap {
  /** What a pixel holds that stands for no cell of the kind. */
  static final float NOTHING = -1;

  private final int size;
  private final float[] covered;
  private final float[] missed;
  private double keptMass;
  private long queries;

  /** An empty map of {@code size} × {@code size} pixels. */
  AttentionMap(int size) {
    this.size = size;
    this.covered = new float[size * size];
    this.missed = new float[size * size];
    Arrays.fill(covered, NOTHING);
    Arrays.fill(missed, NOTHING);
  }

  /** The row or column of token {@code token} of {@code tokens}. */
  static int pixel(int token, int tokens, int size) {
    return (int) ((long) token * size / tokens);
  }

  /** Pixels along a side. */
  int size() {
    return size;
  }

  /**
   * Adds the queries of one query block.
   *
   * @param kept for each query, the share of its weights that is covered
   */
  synchronized void addKept(double kept, int count) {
    keptMass += kept;
    queries += count;
  }

  /**
   * Raises the pixels of row {@code row} to those of two lines of {@link #size} pixels. The result
   * does not hang on the order of calls.
   */
  synchronized void raise(int row, float[] coveredLine, float[] missedLine) {
    for (int column = 0; column < size; column++) {
      int at = row * size + column;
      covered[at] = Math.max(covered[at], coveredLine[column]);
      missed[at] = Math.max(missed[at], missedLine[column]);
    }
  }

  /** The largest weight among the covered cells of a pixel, or {@link #NOTHING}. */
  float covered(int row, int column) {
    return covered[row * size + column];
  }

  /** The largest weight among the cells of a pixel that are not covered, or {@link #NOTHING}. */
  float missed(int row, int column) {
    return missed[row * size + column];
  }

  /** The largest weight of a cell that is not covered; 0 where all are. */
  double largestMissed() {
    double largest = 0;
    for (float weight : missed) {
      largest = Math.max(largest, weight);
    }
    return largest;
  }

  /** The share of the softmax mass that the index covers: the mean over the queries. */
  double recall() {
    return keptMass / queries;
  }
}
