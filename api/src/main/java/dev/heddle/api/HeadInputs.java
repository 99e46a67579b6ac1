package dev.heddle.api;

/**
 * What a pattern is shown of one head when it builds that head's index.
 *
 * @param shape the sizes of the layer
 * @param blocks the tile that the index is built in
 * @param layer the layer's global number, for messages
 * @param head the query head's global number, for messages
 * @param queries Q of this head, {@code [queryTokens][headDim]}
 * @param keys K of this head's key/value head, {@code [keyTokens][headDim]}
 * @param values V of this head's key/value head, {@code [keyTokens][headDim]}
 * @param softmaxScale factor on every score q·k before the softmax, usually 1/√headDim
 */
public record HeadInputs(
    AttentionShape shape,
    BlockShape blocks,
    int layer,
    int head,
    HeadMatrix queries,
    HeadMatrix keys,
    HeadMatrix values,
    float softmaxScale) {
  /**
   * Checks that the matrices have the shape's sizes.
   *
   * @throws InvalidInputException naming the matrix that has not
   */
  public HeadInputs {
    requireSizes("queries", queries, shape.queryTokens(), shape.headDim());
    requireSizes("keys", keys, shape.keyTokens(), shape.headDim());
    requireSizes("values", values, shape.keyTokens(), shape.headDim());
  }

  private static void requireSizes(String name, HeadMatrix matrix, int tokens, int headDim) {
    if (matrix.tokens() != tokens || matrix.headDim() != headDim) {
      throw new InvalidInputException(
          "%s are %d tokens of %d numbers, but the shape says %d of %d"
              .formatted(name, matrix.tokens(), matrix.headDim(), tokens, headDim));
    }
  }
}
