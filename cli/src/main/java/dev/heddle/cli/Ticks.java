package dev.heddle.cli;

import java.util.stream.IntStream;

/** Where an axis of whole numbers has marks. */
final class Ticks {
  private static final int MOST = 9;
  private static final int[] STEPS = {1, 2, 5};

  private Ticks() {}

  /** Multiples of 1, 2 or 5 times a power of ten, from 0 to below {@code end}: at most 9. */
  static int[] upTo(int end) {
    long power = 1;
    while (true) {
      for (int factor : STEPS) {
        long step = factor * power;
        if (Math.ceilDiv(end, step) <= MOST) {
          return IntStream.range(0, (int) Math.ceilDiv(end, step))
              .map(i -> (int) (i * step))
              .toArray();
        }
      }
      power *= 10;
    }
  }
}
