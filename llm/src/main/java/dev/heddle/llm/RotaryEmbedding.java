package dev.heddle.llm;

import dev.heddle.llm.ModelConfig.Rotary;

/**
 * Turns pairs of a head's numbers by angles that grow with the token's position: with {@code half =
 * headDim / 2}, the pair {@code (x[i], x[i + half])} by {@code position · frequency(i)}, {@code
 * frequency(i) = theta^(-i/half)} before scaling.
 *
 * <p>Frequencies and angles are rounded to float32, as they are where the models are trained: at
 * position 100,000 that moves an angle by up to 0.004, and a model has learnt with it.
 *
 * @see <a href="https://arxiv.org/abs/2104.09864">RoFormer: Enhanced Transformer with Rotary
 *     Position Embedding (2021)</a>
 */
final class RotaryEmbedding {
  private final float[] frequencies;

  RotaryEmbedding(Rotary rotary, int headDim) {
    frequencies = new float[headDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      double frequency = Math.pow(rotary.theta(), -2.0 * i / headDim);
      frequencies[i] = (float) scaled(frequency, rotary.scaling());
    }
  }

  /** Pairs per head: numbers that {@link #angles} writes to each of its arrays. */
  int pairs() {
    return frequencies.length;
  }

  /** The angle of each pair at position 1, read only. */
  float[] frequencies() {
    return frequencies;
  }

  /** Writes cosine and sine of each pair's angle at {@code position}. */
  void angles(int position, float[] cosines, float[] sines) {
    for (int i = 0; i < frequencies.length; i++) {
      double angle = position * frequencies[i];
      cosines[i] = (float) Math.cos(angle);
      sines[i] = (float) Math.sin(angle);
    }
  }

  /** Turns the head that begins at {@code offset} of {@code row}. */
  static void turn(float[] row, int offset, float[] cosines, float[] sines) {
    int half = cosines.length;
    for (int i = 0; i < half; i++) {
      float first = row[offset + i];
      float second = row[offset + half + i];
      row[offset + i] = first * cosines[i] - second * sines[i];
      row[offset + half + i] = second * cosines[i] + first * sines[i];
    }
  }

  private static double scaled(double frequency, RotaryScaling scaling) {
    return switch (scaling) {
      case RotaryScaling.None() -> frequency;
      case RotaryScaling.Linear(double factor) -> frequency / factor;
      case RotaryScaling.Llama3 llama3 -> scaled(frequency, llama3);
    };
  }

  /** A wavelength, in tokens, between the two bounds gets a blend of both treatments. */
  private static double scaled(double frequency, RotaryScaling.Llama3 scaling) {
    double wavelength = 2 * Math.PI / frequency;
    double low = scaling.lowFrequencyFactor();
    double high = scaling.highFrequencyFactor();
    double kept = (scaling.originalPositions() / wavelength - low) / (high - low);
    double share = Math.clamp(kept, 0.0, 1.0);
    return share * frequency + (1 - share) * frequency / scaling.factor();
  }
}
