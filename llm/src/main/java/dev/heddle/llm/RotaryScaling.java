package dev.heddle.llm;

/**
 * How a model stretches its rotary frequencies to read texts longer than those it was built for.
 */
public sealed interface RotaryScaling {
  /** Not at all. */
  record None() implements RotaryScaling {}

  /**
   * Every frequency divided by one factor: positions are interpolated.
   *
   * @param factor how much longer texts become
   */
  record Linear(double factor) implements RotaryScaling {}

  /**
   * Llama 3.1's: long wavelengths are divided by the factor, short ones kept, those between
   * blended.
   *
   * @param factor the divisor of the lowest frequencies
   * @param lowFrequencyFactor {@code originalPositions} divided by this is the wavelength above
   *     which a frequency counts as low
   * @param highFrequencyFactor {@code originalPositions} divided by this is the wavelength below
   *     which it counts as high
   * @param originalPositions the length of the texts that the model was first trained on, in tokens
   */
  record Llama3(
      double factor,
      double lowFrequencyFactor,
      double highFrequencyFactor,
      double originalPositions)
      implements RotaryScaling {}
}
