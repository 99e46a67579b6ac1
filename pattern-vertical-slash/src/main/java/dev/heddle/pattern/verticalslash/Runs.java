package dev.heddle.pattern.verticalslash;

import java.util.Arrays;

/** Ascending numbers as runs, each from its first number to its last. */
final class Runs {
  private final int[] firsts;
  private final int[] lasts;

  private Runs(int[] firsts, int[] lasts) {
    this.firsts = firsts;
    this.lasts = lasts;
  }

  /** Joins neighbours of {@code ascending} that are at most {@code reach} apart. */
  static Runs join(int[] ascending, int reach) {
    int[] firsts = new int[ascending.length];
    int[] lasts = new int[ascending.length];
    int count = 0;
    for (int number : ascending) {
      if (count > 0 && number - lasts[count - 1] <= reach) {
        lasts[count - 1] = number;
      } else {
        firsts[count] = number;
        lasts[count++] = number;
      }
    }
    return new Runs(Arrays.copyOf(firsts, count), Arrays.copyOf(lasts, count));
  }

  int count() {
    return firsts.length;
  }

  int first(int run) {
    return firsts[run];
  }

  int last(int run) {
    return lasts[run];
  }
}
