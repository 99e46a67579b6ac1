package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;

/**
 * How an answer is made.
 *
 * @param maxNewTokens tokens after which it ends, at least 1
 * @param sampling how each token is chosen
 */
public record GenerationOptions(int maxNewTokens, Sampling sampling) {
  /**
   * Checks the values.
   *
   * @throws InvalidInputException if no token may be made
   */
  public GenerationOptions {
    if (maxNewTokens < 1) {
      throw new InvalidInputException(
          "max-new-tokens is " + maxNewTokens + "; allowed: an integer from 1");
    }
  }

  /** Up to {@code maxNewTokens} tokens, each the likeliest. */
  public static GenerationOptions greedy(int maxNewTokens) {
    return new GenerationOptions(maxNewTokens, Sampling.GREEDY);
  }
}
