package dev.heddle.llm;

import java.lang.foreign.MemorySegment;

/**
 * The sigmoid linear unit {@code silu(x) = x / (1 + exp(-x))} over rows. Scratch of one thread.
 *
 * <p>{@code exp(x)} with {@code x = n ln 2 + r} and {@code |r| <= ln(2) / 2} is {@code 2^n} times a
 * polynomial in {@code r}, the one of the Cephes library: within 3 units in the last place for −87
 * to 88, and the nearer of these two ends elsewhere; NaN stays NaN.
 *
 * <p>The compiler turns loops of float and int arithmetic into vectors, but not {@link
 * Float#intBitsToFloat}. So the bits of {@code 2^n} are written as integers and copied to floats as
 * a whole: 0.95 ns a number instead of 6.7 in one loop, on a Zen 4 core.
 */
final class Silu {
  private static final float LOG2_E = 1.442695f;

  /** ln 2 in two parts, the first with so few bits that its product with an exponent is exact. */
  private static final float LN2_HIGH = 0x1.63p-1f;

  private static final float LN2_LOW = -2.1219444e-4f;

  /** Added and subtracted, it rounds a float32 below 2^22 to an integer: 1.5 · 2^23. */
  private static final float ROUNDER = 12_582_912f;

  private static final int EXPONENT_BIAS = 127;
  private static final int FRACTION_BITS = 23;

  private final float[] polynomials;
  private final int[] powerBits;
  private final float[] powers;

  /** Prepares for rows of {@code width} numbers. */
  Silu(int width) {
    polynomials = new float[width];
    powerBits = new int[width];
    powers = new float[width];
  }

  /** Replaces each {@code gate[i]} by {@code silu(gate[i]) · factor[i]}. */
  void multiply(float[] gate, float[] factor) {
    splitExp(gate, polynomials, powerBits);
    MemorySegment.ofArray(powers).copyFrom(MemorySegment.ofArray(powerBits));
    for (int i = 0; i < gate.length; i++) {
      gate[i] = gate[i] / (1 + polynomials[i] * powers[i]) * factor[i];
    }
  }

  /** Writes {@code exp(-x[i])} as the polynomial and the bits of the power of two. */
  private static void splitExp(float[] x, float[] polynomials, int[] powerBits) {
    for (int i = 0; i < x.length; i++) {
      float clamped = Math.min(Math.max(-x[i], -87f), 88f);
      float n = clamped * LOG2_E + ROUNDER - ROUNDER;
      float r = clamped - n * LN2_HIGH - n * LN2_LOW;
      float p = 1.9875691e-4f;
      p = p * r + 1.3981999e-3f;
      p = p * r + 8.333452e-3f;
      p = p * r + 4.1665796e-2f;
      p = p * r + 0.16666666f;
      p = p * r + 0.5f;
      polynomials[i] = p * r * r + r + 1;
      powerBits[i] = ((int) n + EXPONENT_BIAS) << FRACTION_BITS;
    }
  }
}
