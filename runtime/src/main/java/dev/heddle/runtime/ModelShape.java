package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;

/**
 * The attention sizes of a model, as a heads file states them.
 *
 * @param layers decoder layers
 * @param queryHeads query heads per layer
 * @param keyValueHeads key/value heads per layer; divides {@code queryHeads}
 * @param headDim numbers per row of a head
 */
public record ModelShape(int layers, int queryHeads, int keyValueHeads, int headDim) {
  /**
   * Checks the sizes.
   *
   * @throws InvalidInputException if a size is below 1 or the key/value heads do not divide the
   *     query heads
   */
  public ModelShape {
    if (layers < 1 || queryHeads < 1 || keyValueHeads < 1 || headDim < 1) {
      throw new InvalidInputException(
          "a model has at least 1 layer, query head, key/value head and head dim, not %d, %d, %d, %d"
              .formatted(layers, queryHeads, keyValueHeads, headDim));
    }
    if (queryHeads % keyValueHeads != 0) {
      throw new InvalidInputException(
          "queryHeads (%d) must be a multiple of keyValueHeads (%d)"
              .formatted(queryHeads, keyValueHeads));
    }
  }
}
