package dev.heddle.kernels.vector;

/** Asks the Vector API; loaded only where it is present. */
final class VectorSize {
  private VectorSize() {}

  static int bits() {
    return PanelProduct.SPECIES.vectorBitSize();
  }
}
