package dev.heddle.api;

/**
 * What a head is likely to take on a GPU, as far as its options tell before its index is built. A
 * cell stands for the time in which the device computes one cell (query, key) of dense attention.
 *
 * @param attentionCells its attention
 * @param indexCells the building of its index, without what the heads of a layer share
 * @param layerNanos nanoseconds that building the indices of a layer takes however few heads and
 *     tokens there are: launches, and waiting for the device
 */
public record GpuCost(double attentionCells, double indexCells, long layerNanos) {
  /**
   * Checks the numbers.
   *
   * @throws InvalidInputException if one is negative or not a number
   */
  public GpuCost {
    if (!(attentionCells >= 0 && indexCells >= 0 && layerNanos >= 0)) {
      throw new InvalidInputException(
          "a head cannot take %s and %s cells and %d ns"
              .formatted(attentionCells, indexCells, layerNanos));
    }
  }

  /** This and what another sequence of the same head takes, in the same launches. */
  public GpuCost plus(GpuCost other) {
    return new GpuCost(
        attentionCells + other.attentionCells,
        indexCells + other.indexCells,
        Math.max(layerNanos, other.layerNanos));
  }
}
