package dev.heddle.search;

import dev.heddle.api.InvalidInputException;

/** What the heads of a model are to reach together. */
public sealed interface SearchGoal {
  /**
   * Attention, index building included, takes a {@code factor}-th of the time of dense attention;
   * within that, the expected loss is as small as it can be.
   *
   * @param tokens the length of prompt at which it is to be so; 0 for the samples' length
   */
  record Speedup(double factor, int tokens) implements SearchGoal {
    /**
     * Checks the numbers.
     *
     * @throws InvalidInputException if the factor is below 1, or the length below 0
     */
    public Speedup {
      if (!(factor >= 1 && factor < Double.POSITIVE_INFINITY)) {
        throw new InvalidInputException("the speedup is " + factor + "; allowed: from 1");
      }
      if (tokens < 0) {
        throw new InvalidInputException("the length is " + tokens + "; allowed: from 0 tokens");
      }
    }
  }

  /** No head's error exceeds {@code error}; within that, each head costs as little as it can. */
  record Tolerance(double error) implements SearchGoal {
    /**
     * Checks the error.
     *
     * @throws InvalidInputException if it is not from 0 to 1
     */
    public Tolerance {
      if (!(error >= 0 && error <= 1)) {
        throw new InvalidInputException("the tolerance is " + error + "; allowed: 0 to 1");
      }
    }
  }
}
