package dev.heddle.api;

import java.util.List;

/**
 * The heads of one layer that one pattern computes: every sequence of the batch for each of them.
 *
 * @param layer tensors and sequences
 * @param heads the heads to compute, at least one; their places in this list are the head slots of
 *     indices and tables
 */
public record GpuCall(GpuLayer layer, List<GpuHead> heads) {
  /**
   * Checks that the layer has the heads.
   *
   * @throws InvalidInputException if there is none, or naming the one that it has not
   */
  public GpuCall {
    heads = List.copyOf(heads);
    if (heads.isEmpty()) {
      throw new InvalidInputException("a call needs at least one head");
    }
    for (GpuHead head : heads) {
      if (head.queryHead() < 0 || head.queryHead() >= layer.queries().heads()) {
        throw new InvalidInputException(
            "head %d is not among the query heads 0 to %d"
                .formatted(head.queryHead(), layer.queries().heads() - 1));
      }
    }
  }

  /** Rows of the index over all sequences and heads: see {@link GpuIndex}. */
  public long indexRows() {
    return (long) layer.sequences().size() * heads.size() * layer.mostQueryBlocks();
  }
}
