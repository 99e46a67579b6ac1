package dev.heddle.kernels.vector;

/** The lanes {@code from} to {@code end - 1} of a panel: whole vectors. */
record LaneRange(int from, int end) {
  /** The first lanes, {@code count} rounded up to whole vectors. */
  static LaneRange first(int count) {
    return new LaneRange(0, PanelProduct.wholeVectors(count));
  }
}
