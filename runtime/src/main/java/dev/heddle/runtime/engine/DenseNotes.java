package dev.heddle.runtime.engine;

import java.util.Locale;

/** Why a head runs dense that has another pattern. */
final class DenseNotes {
  /** The options alone tell. */
  static final String SLOWER = "its index and its cells would take longer";

  static final String READS_ALL = "its budget covers every key";

  private DenseNotes() {}

  static String below(int keyTokens) {
    return String.format(Locale.ROOT, "fewer than %,d keys", keyTokens);
  }

  static String density(double density) {
    return String.format(Locale.ROOT, "its index reads %.0f %% of the cells", 100 * density);
  }
}
