package dev.heddle.pattern.verticalslash;

import dev.heddle.api.HeadInputs;

/** The sums of the probes' softmax rows from their definition, in float64. */
final class NaiveProbeAttention {
  final double[] byColumn;
  final double[] byOffset;

  /**
   * How far the same sums in float32 may be off, as a share of their size. A score is a sum of
   * headDim products, each rounded to 2^-24 of the greatest sum of sizes; its error enters once
   * through the numerator and once through the denominator. Exponentials add 3e-5 each, and as the
   * sums have at most 64 terms, adding them up is lost in that.
   */
  final double tolerance;

  NaiveProbeAttention(HeadInputs head, int probes) {
    int keyTokens = head.shape().keyTokens();
    byColumn = new double[keyTokens];
    byOffset = new double[keyTokens];
    double greatestSize = 0;
    for (int probe = head.shape().queryTokens() - probes;
        probe < head.queries().tokens();
        probe++) {
      int position = probe + head.shape().firstQueryPosition();
      double[] scores = new double[position + 1];
      double sum = 0;
      for (int key = 0; key <= position; key++) {
        double size = 0;
        for (int dim = 0; dim < head.shape().headDim(); dim++) {
          double term =
              (double) head.softmaxScale()
                  * head.queries().get(probe, dim)
                  * head.keys().get(key, dim);
          scores[key] += term;
          size += Math.abs(term);
        }
        greatestSize = Math.max(greatestSize, size);
        sum += Math.exp(scores[key]);
      }
      for (int key = 0; key <= position; key++) {
        byColumn[key] += Math.exp(scores[key]) / sum;
        byOffset[position - key] += Math.exp(scores[key]) / sum;
      }
    }
    tolerance = 2 * ((head.shape().headDim() + 2) * 0x1p-24 * greatestSize + 3e-5);
  }
}
