package dev.heddle.search;

import dev.heddle.api.InvalidInputException;

/**
 * How many of some answers were right, and what that says of the share in general.
 *
 * @param right answers that were right
 * @param asked all answers
 */
public record Proportion(int right, int asked) {
  /** Half the width of the 95 % interval of the normal distribution, in standard deviations. */
  private static final double Z = 1.959964;

  /**
   * Checks the numbers.
   *
   * @throws InvalidInputException if there are no answers, or more right ones than there are
   */
  public Proportion {
    if (asked < 1 || right < 0 || right > asked) {
      throw new InvalidInputException(right + " right answers of " + asked + " make no share");
    }
  }

  /** Both together. */
  public Proportion plus(Proportion other) {
    return new Proportion(right + other.right, asked + other.asked);
  }

  /** The share that was right. */
  public double share() {
    return (double) right / asked;
  }

  /** The least share that agrees with this, at 95 % confidence (Wilson's score interval). */
  public double low() {
    return right == 0 ? 0 : Math.max(0, centre() - halfWidth());
  }

  /** The greatest share that agrees with this, at 95 % confidence (Wilson's score interval). */
  public double high() {
    return right == asked ? 1 : Math.min(1, centre() + halfWidth());
  }

  private double centre() {
    return (share() + Z * Z / (2 * asked)) / (1 + Z * Z / asked);
  }

  private double halfWidth() {
    double variance = share() * (1 - share()) / asked + Z * Z / (4.0 * asked * asked);
    return Z * Math.sqrt(variance) / (1 + Z * Z / asked);
  }
}
