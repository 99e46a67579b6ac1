package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;
import static dev.heddle.kernels.vector.PanelProduct.SPECIES;
import static dev.heddle.kernels.vector.PanelProduct.VECTOR;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The loops of {@link OnlineSoftmax} over a tile's scores, {@code [key][LANES]}. No method takes or
 * returns a vector: whether the compiler inlines such a method differs from run to run, and where
 * it does not, every vector is boxed.
 */
final class SoftmaxKernels {
  /** Keys of a tile are a multiple of this. */
  static final int KEY_STEP = 4;

  /**
   * {@code 2^x} for {@code x <= 0}. {@code x = n + f} with {@code n} an integer and {@code |f| <=
   * 1/2}; {@code 2^f} is a polynomial, and {@code 2^n} is put together from its bits. Below this
   * the result is 0; from -126 on it is a normal number.
   */
  private static final float LEAST = -127;

  /**
   * Adding this rounds to an integer, in the lowest bits of the sum: at 1.5 · 2^23 no bits are left
   * for a fraction. 127, the exponent's bias, is in it already.
   */
  private static final float ROUND_AND_BIAS = 0x1.8p23f + 127;

  // 2^f = 1 + C1 f + ... + C5 f^5 for |f| <= 1/2, fitted for the least relative error: 1.1e-7, just
  // below the spacing of float32 at 1; with the rounding on the way at most 2.5e-7.
  private static final float C1 = 0x1.62e42ap-1f;
  private static final float C2 = 0x1.ebf9bcp-3f;
  private static final float C3 = 0x1.c6b752p-5f;
  private static final float C4 = 0x1.3cea88p-7f;
  private static final float C5 = 0x1.5bba16p-10f;

  private SoftmaxKernels() {}

  /**
   * Raises {@code greatest[lane]} to the greatest score of the lane. NaN is passed over: it shows
   * again when the score is weighed.
   *
   * <p>Four chains, since each comparison waits for the one before it. Compare and blend: {@code
   * max} takes six instructions to order NaN and -0, which nothing here needs.
   */
  static void raise(float[] greatest, float[] scores, int keys, LaneRange lanes) {
    for (int lane = lanes.from(); lane < lanes.end(); lane += VECTOR) {
      FloatVector most0 = FloatVector.fromArray(SPECIES, greatest, lane);
      FloatVector most1 = most0;
      FloatVector most2 = most0;
      FloatVector most3 = most0;
      for (int key = 0; key < keys; key += KEY_STEP) {
        int at = key * LANES + lane;
        FloatVector score0 = FloatVector.fromArray(SPECIES, scores, at);
        FloatVector score1 = FloatVector.fromArray(SPECIES, scores, at + LANES);
        FloatVector score2 = FloatVector.fromArray(SPECIES, scores, at + 2 * LANES);
        FloatVector score3 = FloatVector.fromArray(SPECIES, scores, at + 3 * LANES);
        most0 = most0.blend(score0, score0.compare(VectorOperators.GT, most0));
        most1 = most1.blend(score1, score1.compare(VectorOperators.GT, most1));
        most2 = most2.blend(score2, score2.compare(VectorOperators.GT, most2));
        most3 = most3.blend(score3, score3.compare(VectorOperators.GT, most3));
      }
      most0 = most0.blend(most1, most1.compare(VectorOperators.GT, most0));
      most2 = most2.blend(most3, most3.compare(VectorOperators.GT, most2));
      most0.blend(most2, most2.compare(VectorOperators.GT, most0)).intoArray(greatest, lane);
    }
  }

  /**
   * Replaces scores by their weights {@code 2^(score - base[lane])} and sets {@code sums[lane]} to
   * the sum of the lane's weights. {@code score - base[lane]} is at most 0; for -∞ the weight is
   * exactly 0, for NaN it is NaN.
   */
  static void weigh(float[] scores, int keys, LaneRange lanes, float[] base, float[] sums) {
    for (int lane = lanes.from(); lane < lanes.end(); lane += VECTOR) {
      FloatVector subtrahend = FloatVector.fromArray(SPECIES, base, lane);
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int key = 0; key < keys; key++) {
        int at = key * LANES + lane;
        FloatVector x = FloatVector.fromArray(SPECIES, scores, at).sub(subtrahend);
        x = x.blend(LEAST, x.compare(VectorOperators.LT, LEAST));
        FloatVector biased = x.add(ROUND_AND_BIAS);
        FloatVector f = x.sub(biased.sub(ROUND_AND_BIAS));
        FloatVector power = f.fma(C5, C4);
        power = power.fma(f, FloatVector.broadcast(SPECIES, C3));
        power = power.fma(f, FloatVector.broadcast(SPECIES, C2));
        power = power.fma(f, FloatVector.broadcast(SPECIES, C1));
        power = power.fma(f, FloatVector.broadcast(SPECIES, 1f));
        // A product, not a sum of bits: it keeps NaN, and is exactly 0 for the least exponent.
        FloatVector weight =
            power.mul(
                biased
                    .reinterpretAsInts()
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
        weight.intoArray(scores, at);
        sum = sum.add(weight);
      }
      sum.intoArray(sums, lane);
    }
  }
}
