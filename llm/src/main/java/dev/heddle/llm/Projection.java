package dev.heddle.llm;

import dev.heddle.kernels.MatrixProducts.Weight;

/**
 * A matrix and what is added to each of its products.
 *
 * @param weight {@code [outputs][inputs]}, in the mapped file
 * @param bias {@code [outputs]}, or of length 0 when there is none; read only
 */
@SuppressWarnings("ArrayRecordComponent") // never compared; copied out of the file once
record Projection(Weight weight, float[] bias) {
  /** Adds the bias to the product in {@code row}. */
  void addBias(float[] row) {
    for (int i = 0; i < bias.length; i++) {
      row[i] += bias[i];
    }
  }
}
