package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;
import static dev.heddle.kernels.vector.PanelProduct.SPECIES;
import static dev.heddle.kernels.vector.PanelProduct.VECTOR;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

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
  /** Keys of a tile are a multiple of this. */
  static final int KEY_STEP = 4;

  private final float[] greatest = new float[LANES];
  private final float[] sum = new float[LANES];
  private final float[] alpha = new float[LANES];

  /** Forgets all scores. */
  void clear() {
    Arrays.fill(greatest, Float.NEGATIVE_INFINITY);
    Arrays.fill(sum, 0);
  }

  /** The factor of each lane on results so far, after {@link #update}. */
  float[] alpha() {
    return alpha;
  }

  /** The sum of the lane's weights. */
  float sum(int lane) {
    return sum[lane];
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
   * @param keys a multiple of {@link #KEY_STEP}
   * @param lanes whole vectors
   */
  void update(float[] scores, int keys, int lanes) {
    for (int lane = 0; lane < lanes; lane += VECTOR) {
      FloatVector before = FloatVector.fromArray(SPECIES, greatest, lane);
      FloatVector after = larger(before, greatestScore(scores, keys, lane));
      after.intoArray(greatest, lane);
      // While all scores are -∞ the difference to 0 is taken: -∞ - (-∞) would be NaN.
      FloatVector base =
          after.blend(0f, after.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
      FloatVector worth = Exp2.ofNonPositive(before.sub(base));
      worth.intoArray(alpha, lane);
      FloatVector added = weigh(scores, keys, lane, base);
      FloatVector.fromArray(SPECIES, sum, lane).fma(worth, added).intoArray(sum, lane);
    }
  }

  /**
   * Takes in the scores that {@code other} has seen. The {@link #alpha} of both then holds what
   * their results are worth.
   */
  void merge(OnlineSoftmax other) {
    for (int lane = 0; lane < LANES; lane++) {
      float most = Math.max(greatest[lane], other.greatest[lane]);
      float base = most == Float.NEGATIVE_INFINITY ? 0 : most;
      alpha[lane] = (float) Math.pow(2, greatest[lane] - base);
      other.alpha[lane] = (float) Math.pow(2, other.greatest[lane] - base);
      greatest[lane] = most;
      sum[lane] = alpha[lane] * sum[lane] + other.alpha[lane] * other.sum[lane];
    }
  }

  /** The greatest score of each lane; four chains, since each step waits for the one before it. */
  private static FloatVector greatestScore(float[] scores, int keys, int lane) {
    FloatVector most0 = FloatVector.fromArray(SPECIES, scores, lane);
    FloatVector most1 = FloatVector.fromArray(SPECIES, scores, LANES + lane);
    FloatVector most2 = FloatVector.fromArray(SPECIES, scores, 2 * LANES + lane);
    FloatVector most3 = FloatVector.fromArray(SPECIES, scores, 3 * LANES + lane);
    for (int key = KEY_STEP; key < keys; key += KEY_STEP) {
      int at = key * LANES + lane;
      most0 = larger(most0, FloatVector.fromArray(SPECIES, scores, at));
      most1 = larger(most1, FloatVector.fromArray(SPECIES, scores, at + LANES));
      most2 = larger(most2, FloatVector.fromArray(SPECIES, scores, at + 2 * LANES));
      most3 = larger(most3, FloatVector.fromArray(SPECIES, scores, at + 3 * LANES));
    }
    return larger(larger(most0, most1), larger(most2, most3));
  }

  private static FloatVector weigh(float[] scores, int keys, int lane, FloatVector base) {
    FloatVector total = FloatVector.zero(SPECIES);
    for (int at = lane; at < keys * LANES; at += LANES) {
      FloatVector weight = Exp2.ofNonPositive(FloatVector.fromArray(SPECIES, scores, at).sub(base));
      weight.intoArray(scores, at);
      total = total.add(weight);
    }
    return total;
  }

  /**
   * The larger of two; {@code max} of the Vector API takes six instructions to order NaN and -0,
   * which nothing here needs. A NaN in {@code b} is passed over: it shows again when the score is
   * weighed.
   */
  private static FloatVector larger(FloatVector a, FloatVector b) {
    return a.blend(b, b.compare(VectorOperators.GT, a));
  }
}
