package dev.heddle.cli;

import dev.heddle.runtime.ModelShape;
import java.math.BigDecimal;
import java.util.Locale;

/** Numbers as people read them, the same in every locale. */
final class Shown {
  private static final double NANOS_PER_MILLI = 1e6;
  private static final double NANOS_PER_SECOND = 1e9;

  private static final double GIBIBYTE = 1 << 30;

  private Shown() {}

  static String seconds(long nanos) {
    return String.format(Locale.ROOT, "%.2f s", nanos / NANOS_PER_SECOND);
  }

  static String millis(long nanos) {
    return String.format(Locale.ROOT, "%.1f ms", nanos / NANOS_PER_MILLI);
  }

  /** A share of one: {@code "12.3 %"}. */
  static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }

  /** A share of one in whole percent. */
  static String wholePercent(double share) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }

  /** The last name of a path. */
  static String fileName(String path) {
    String trimmed = path.replaceFirst("/+$", "");
    String name = trimmed.substring(trimmed.lastIndexOf('/') + 1);
    return name.isEmpty() ? path : name;
  }

  static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  /** A number without needless digits: 0.05, 2.5, 1,000. */
  static String plain(double number) {
    return number == Math.rint(number)
        ? count((long) number)
        : new BigDecimal(Double.toString(number)).stripTrailingZeros().toPlainString();
  }

  /** A rate or ratio with one digit after the point. */
  static String ratio(double number) {
    return String.format(Locale.ROOT, "%.1f", number);
  }

  /** A model's sizes in words. */
  static String sizes(ModelShape model) {
    return "%d layers, %d query heads, %d key/value heads, head dim %d"
        .formatted(model.layers(), model.queryHeads(), model.keyValueHeads(), model.headDim());
  }

  static double gibibytes(long bytes) {
    return bytes / GIBIBYTE;
  }

  static double toMillis(long nanos) {
    return nanos / NANOS_PER_MILLI;
  }

  static double toSeconds(long nanos) {
    return nanos / NANOS_PER_SECOND;
  }
}
