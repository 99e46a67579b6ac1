package dev.heddle.llm;

/**
 * Root mean square normalisation: {@code x[i] · weight[i] / √(mean(x²) + epsilon)}.
 *
 * @see <a href="https://arxiv.org/abs/1910.07467">Root Mean Square Layer Normalization (2019)</a>
 */
final class RmsNorm {
  private final float[] weight;
  private final float epsilon;

  RmsNorm(float[] weight, float epsilon) {
    this.weight = weight.clone();
    this.epsilon = epsilon;
  }

  /** The factors, read only. */
  float[] weight() {
    return weight;
  }

  /** Normalises, in place, the {@code weight.length} numbers from {@code offset} of {@code row}. */
  void apply(float[] row, int offset) {
    float scale = (float) (1 / Math.sqrt(meanSquare(row, offset) + epsilon));
    for (int i = 0; i < weight.length; i++) {
      row[offset + i] = weight[i] * (row[offset + i] * scale);
    }
  }

  /** Independent partial sums: one alone would wait for the adder at every number. */
  private double meanSquare(float[] row, int offset) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    int i = 0;
    for (; i + 3 < weight.length; i += 4) {
      float x0 = row[offset + i];
      float x1 = row[offset + i + 1];
      float x2 = row[offset + i + 2];
      float x3 = row[offset + i + 3];
      s0 += x0 * x0;
      s1 += x1 * x1;
      s2 += x2 * x2;
      s3 += x3 * x3;
    }
    double sum = (double) s0 + s1 + s2 + s3;
    for (; i < weight.length; i++) {
      sum += row[offset + i] * row[offset + i];
    }
    return sum / weight.length;
  }
}
