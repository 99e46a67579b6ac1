package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * {@code 2^x} for {@code x <= 0}, the only exponential that a softmax needs.
 *
 * <p>{@code x = n + f} with {@code n} an integer and {@code |f| <= 1/2}; {@code 2^f} is a
 * polynomial and {@code 2^n} is put together from its bits.
 */
final class Exp2 {
  /** Below this the result is 0; above -126.5 it is a normal number or the least one. */
  private static final float LEAST = -127;

  /**
   * Adding this rounds to an integer, in the lowest bits of the sum: 1.5 · 2^23 has no fraction
   * bits left. 127, the exponent's bias, is in it already.
   */
  private static final float ROUND_AND_BIAS = 0x1.8p23f + 127;

  // 2^f = 1 + C1 f + ... + C5 f^5 for |f| <= 1/2, fitted for the least relative error: 1.1e-7, just
  // below the spacing of float32 at 1; rounding on the way makes it at most 2e-7 (measured).
  private static final float C1 = 0x1.62e42ap-1f;
  private static final float C2 = 0x1.ebf9bcp-3f;
  private static final float C3 = 0x1.c6b752p-5f;
  private static final float C4 = 0x1.3cea88p-7f;
  private static final float C5 = 0x1.5bba16p-10f;

  private Exp2() {}

  /** {@code 2^x}, exactly 0 for -∞ and NaN for NaN. */
  static FloatVector ofNonPositive(FloatVector x) {
    FloatVector clamped = x.blend(LEAST, x.compare(VectorOperators.LT, LEAST));
    FloatVector biased = clamped.add(ROUND_AND_BIAS);
    FloatVector f = clamped.sub(biased.sub(ROUND_AND_BIAS));
    FloatVector power = FloatVector.broadcast(SPECIES, C5);
    power = power.fma(f, FloatVector.broadcast(SPECIES, C4));
    power = power.fma(f, FloatVector.broadcast(SPECIES, C3));
    power = power.fma(f, FloatVector.broadcast(SPECIES, C2));
    power = power.fma(f, FloatVector.broadcast(SPECIES, C1));
    power = power.fma(f, FloatVector.broadcast(SPECIES, 1f));
    // A product, not a sum of bits: it keeps NaN, and is exactly 0 for the least exponent.
    return power.mul(
        biased.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
  }
}
