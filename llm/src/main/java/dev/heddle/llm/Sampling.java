package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;

/**
 * How the next token is chosen from the logits.
 *
 * @param temperature divides the logits; 0 takes the greatest
 * @param topP the likeliest tokens whose probabilities together reach this are kept; 1 keeps all
 * @param seed of the random choice: the same seed, text and machine give the same tokens
 */
public record Sampling(double temperature, double topP, long seed) {
  /** Always the likeliest token. */
  public static final Sampling GREEDY = new Sampling(0, 1, 0);

  /**
   * Checks the values.
   *
   * @throws InvalidInputException if the temperature is negative or not finite, or topP is not in
   *     (0, 1]
   */
  public Sampling {
    if (!(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new InvalidInputException(
          "temperature is " + temperature + "; allowed: a number from 0");
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new InvalidInputException("top-p is " + topP + "; allowed: above 0, at most 1");
    }
  }
}
