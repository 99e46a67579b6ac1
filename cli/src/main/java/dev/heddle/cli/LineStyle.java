package dev.heddle.cli;

import java.awt.Color;
import java.util.List;

/**
 * How a line is told from the others: by its colour, from the set of Okabe and Ito that stays apart
 * for every kind of colour blindness, and by the sign at its points.
 */
record LineStyle(Color colour, Sign sign) {
  private static final Color BLACK = new Color(0x202020);

  static final List<Color> COLOURS =
      List.of(
          new Color(0x0072B2),
          new Color(0xD55E00),
          new Color(0x009E73),
          new Color(0xCC79A7),
          new Color(0x56B4E9),
          new Color(0xE69F00));

  private static final List<Sign> SIGNS =
      List.of(Sign.SQUARE, Sign.TRIANGLE, Sign.DIAMOND, Sign.TRIANGLE_DOWN, Sign.CIRCLE);

  private static final List<Sign> DENSE_SIGNS = SIGNS.reversed();

  /** The style of dense line {@code number}, from 0: black, as what all else is compared with. */
  static LineStyle dense(int number) {
    return new LineStyle(BLACK, DENSE_SIGNS.get(number % DENSE_SIGNS.size()));
  }

  /** The style of line {@code number} besides dense, from 0: no two of the first 30 are equal. */
  static LineStyle of(int number) {
    return new LineStyle(COLOURS.get(number % COLOURS.size()), SIGNS.get(number % SIGNS.size()));
  }
}
