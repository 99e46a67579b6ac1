package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;

import java.util.Arrays;

/**
 * The running softmax of a panel: for each lane (a query) the greatest score so far, in base 2, and
 * the sum of {@code 2^(score - greatest)}.
 *
 * <p>Scores come a tile at a time, {@code [key][LANES]}: every operation is vertical, so nothing is
 * reduced across lanes. With {@code m} the greatest score, {@code s} a score and {@code z} the sum:
 *
 * <pre>
 *     m' = max(m, max_key s[key])
 *     alpha = 2^(m - m')                 what earlier weights are worth now
 *     p[key] = 2^(s[key] - m')           the tile's weights; they replace the scores
 *     z' = alpha z + Σ_key p[key]
 * </pre>
 *
 * <p>A score of -∞ weighs exactly 0. A lane that has seen only such scores has {@code z = 0}, and
 * its result is 0/0: NaN. NaN in a score makes its lane NaN and no other.
 */
final class OnlineSoftmax {
  private final float[] greatest = new float[LANES];
  private final float[] sum = new float[LANES];
  private final float[] alpha = new float[LANES];
  private final float[] base = new float[LANES];
  private final float[] added = new float[LANES];

  /** Forgets all scores. */
  void clear() {
    Arrays.fill(greatest, Float.NEGATIVE_INFINITY);
    Arrays.fill(sum, 0);
  }

  /** The factor of each lane on results so far, after {@link #update}. */
  float[] alpha() {
    return alpha;
  }

  /** The share of a weight of 1 in each lane's sum of weights, until the next {@link #update}. */
  float[] shares() {
    for (int lane = 0; lane < LANES; lane++) {
      base[lane] = 1 / sum[lane];
    }
    return base;
  }

  /** The natural logarithm of the sum of the exponentials of the lane's scores. */
  float logSumExp(int lane) {
    // As 0/0 is: with nothing but scores of -∞ there is no distribution to speak of.
    return sum[lane] == 0
        ? Float.NaN
        : (float) (greatest[lane] * Math.log(2) + Math.log(sum[lane]));
  }

  /**
   * Takes in a tile's scores and replaces them by their weights.
   *
   * @param scores {@code [keys][LANES]}, in base 2
   * @param keys a multiple of {@link SoftmaxKernels#KEY_STEP}
   */
  void update(float[] scores, int keys, LaneRange lanes) {
    int from = lanes.from();
    int end = lanes.end();
    System.arraycopy(greatest, from, alpha, from, end - from);
    SoftmaxKernels.raise(greatest, scores, keys, lanes);
    for (int lane = from; lane < end; lane++) {
      // While all scores are -∞ the difference to 0 is taken: -∞ - (-∞) would be NaN.
      base[lane] = greatest[lane] == Float.NEGATIVE_INFINITY ? 0 : greatest[lane];
    }
    SoftmaxKernels.weigh(alpha, 1, lanes, base, added);
    SoftmaxKernels.weigh(scores, keys, lanes, base, added);
    for (int lane = from; lane < end; lane++) {
      sum[lane] = alpha[lane] * sum[lane] + added[lane];
    }
  }

  /**
   * Takes in the scores that {@code other} has seen. The {@link #alpha} of both then holds what
   * their results are worth.
   */
  void merge(OnlineSoftmax other) {
    for (int lane = 0; lane < LANES; lane++) {
      float most = Math.max(greatest[lane], other.greatest[lane]);
      float least = most == Float.NEGATIVE_INFINITY ? 0 : most;
      alpha[lane] = (float) Math.pow(2, greatest[lane] - least);
      other.alpha[lane] = (float) Math.pow(2, other.greatest[lane] - least);
      greatest[lane] = most;
      sum[lane] = alpha[lane] * sum[lane] + other.alpha[lane] * other.sum[lane];
    }
  }
}
