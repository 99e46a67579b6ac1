package dev.heddle.api;

import java.util.Objects;

/**
 * Picks the greatest of many scores in linear time, the same ones on every run: how an index
 * builder keeps to a budget.
 */
public final class TopScores {
  /** Bits per radix digit, and the digits' places from the greatest down. */
  private static final int DIGIT_BITS = 11;

  private static final int[] DIGIT_SHIFTS = {22, 11, 0};

  private TopScores() {}

  /**
   * The places of the {@code count} greatest of the first {@code length} scores, in ascending order
   * of place. Among equal scores the lower places are taken; NaN ranks with negative infinity, and
   * the two zeros are equal.
   *
   * @param count how many; all places if {@code count >= length}
   * @throws IndexOutOfBoundsException if {@code length} is not within the array
   * @throws IllegalArgumentException if {@code count} is negative
   */
  public static int[] select(float[] scores, int length, int count) {
    Objects.checkFromIndexSize(0, length, scores.length);
    if (count < 0) {
      throw new IllegalArgumentException("count must be at least 0, but is " + count);
    }
    int[] ranks = new int[length];
    for (int i = 0; i < length; i++) {
      ranks[i] = rank(scores[i]);
    }
    return select(ranks, Math.min(count, length));
  }

  private static int[] select(int[] ranks, int count) {
    int[] places = new int[count];
    if (count == 0) {
      return places;
    }
    Threshold threshold = threshold(ranks, count);
    int equalsLeft = threshold.equalsTaken();
    int found = 0;
    for (int i = 0; found < count; i++) {
      int order = Integer.compareUnsigned(ranks[i], threshold.rank());
      if (order > 0 || (order == 0 && equalsLeft-- > 0)) {
        places[found++] = i;
      }
    }
    return places;
  }

  /**
   * The least rank that is taken.
   *
   * @param rank the {@code count}-th greatest
   * @param equalsTaken how many entries of just that rank are taken
   */
  private record Threshold(int rank, int equalsTaken) {}

  /** Finds the threshold digit by digit: counts the digits, then walks down from the greatest. */
  private static Threshold threshold(int[] ranks, int count) {
    int known = 0;
    int knownBits = 0;
    int left = count;
    for (int shift : DIGIT_SHIFTS) {
      int[] counts = new int[1 << DIGIT_BITS];
      for (int rank : ranks) {
        if ((rank & knownBits) == known) {
          counts[digit(rank, shift)]++;
        }
      }
      int digit = counts.length - 1;
      while (left > counts[digit]) {
        left -= counts[digit--];
      }
      known |= digit << shift;
      knownBits |= -1 << shift;
    }
    return new Threshold(known, left);
  }

  private static int digit(int rank, int shift) {
    return rank >>> shift & ((1 << DIGIT_BITS) - 1);
  }

  /** A number that, unsigned, orders as the score does. */
  private static int rank(float score) {
    // + 0 turns -0 into 0
    int bits = Float.floatToRawIntBits(Float.isNaN(score) ? Float.NEGATIVE_INFINITY : score + 0.0f);
    return bits ^ (bits >> 31 | Integer.MIN_VALUE);
  }
}
