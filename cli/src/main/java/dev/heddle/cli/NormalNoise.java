package dev.heddle.cli;

import java.util.Random;

/**
 * Normal numbers that can be made anywhere in any order: each row has a sequence of its own. The
 * numbers are drawn from a table of 4,096 with mean 0 and standard deviation 1, five to a hash,
 * which is some 20 times faster than to make each from the distribution.
 */
final class NormalNoise {
  private static final int TABLE_BITS = 12;
  private static final int TABLE_SIZE = 1 << TABLE_BITS;
  private static final int NUMBERS_PER_HASH = Long.SIZE / TABLE_BITS;
  private static final long TABLE_SEED = 1;

  private final float[] table = table();

  /** Adds noise of standard deviation {@code deviation} to {@code row}, the same for a seed. */
  void addTo(float[] row, float deviation, long seed) {
    long state = seed;
    for (int first = 0; first < row.length; first += NUMBERS_PER_HASH) {
      long hash = Hash.mix(state++);
      int end = Math.min(row.length, first + NUMBERS_PER_HASH);
      for (int i = first; i < end; i++) {
        row[i] += deviation * table[(int) hash & TABLE_SIZE - 1];
        hash >>>= TABLE_BITS;
      }
    }
  }

  private static float[] table() {
    Random random = new Random(TABLE_SEED);
    double[] numbers = random.doubles(TABLE_SIZE).map(_ -> random.nextGaussian()).toArray();
    double mean = 0;
    double squares = 0;
    for (double number : numbers) {
      mean += number / TABLE_SIZE;
    }
    for (double number : numbers) {
      squares += (number - mean) * (number - mean) / TABLE_SIZE;
    }
    float[] table = new float[TABLE_SIZE];
    for (int i = 0; i < TABLE_SIZE; i++) {
      table[i] = (float) ((numbers[i] - mean) / Math.sqrt(squares));
    }
    return table;
  }

  /** Turns numbers that differ in a bit into numbers that differ in half of their bits. */
  static final class Hash {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private Hash() {}

    /** The output function of SplitMix64. */
    static long mix(long number) {
      long z = number * GOLDEN;
      z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
      z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
      return z ^ z >>> 31;
    }

    /** One number of several. */
    static long of(long... parts) {
      long hash = 0;
      for (long part : parts) {
        hash = mix(hash ^ part + GOLDEN);
      }
      return hash;
    }

    /** A number from 0 to 1, 1 left out. */
    static double unit(long hash) {
      return (hash >>> 11) * 0x1p-53;
    }
  }
}
