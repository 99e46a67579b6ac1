package dev.heddle.testkit;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import java.util.ArrayList;
import java.util.List;

/**
 * Sizes that every pattern is tried on.
 *
 * @param shape the layer's sizes
 * @param type of its numbers
 * @param blocks tiles to try it with
 */
record TriedShape(AttentionShape shape, ElementType type, List<BlockShape> blocks) {
  /** Around the usual block sizes, and primes. */
  private static final int[] TOKENS = {1, 63, 64, 65, 113, 127, 1023};

  /** Query heads on key/value heads: groups of 1, 4 and 8. */
  private static final int[][] HEADS = {{2, 2}, {4, 1}, {8, 1}};

  private static final int[] HEAD_DIMS = {8, 16, 6, 24, 20};

  private static final List<BlockShape> ODD_BLOCKS =
      List.of(
          new BlockShape(64, 64),
          new BlockShape(16, 32),
          new BlockShape(5, 7),
          new BlockShape(1, 1),
          new BlockShape(4096, 4096));

  /**
   * Every length with every group and every element type: whole prompts, chunks of a third, and
   * single queries.
   */
  static List<TriedShape> all() {
    List<TriedShape> all = new ArrayList<>();
    for (int i = 0; i < TOKENS.length; i++) {
      int keys = TOKENS[i];
      for (int j = 0; j < HEADS.length; j++) {
        all.add(of(i + j, HEADS[j], keys, keys));
        if (keys > 1) {
          all.add(of(i + j + 1, HEADS[j], 1 + keys / 3, keys));
        }
      }
      all.add(of(i, HEADS[i % HEADS.length], 1, keys));
    }
    return all;
  }

  private static TriedShape of(int number, int[] heads, int queryTokens, int keyTokens) {
    AttentionShape shape =
        new AttentionShape(
            heads[0], heads[1], queryTokens, keyTokens, HEAD_DIMS[number % HEAD_DIMS.length]);
    ElementType[] types = ElementType.values();
    return new TriedShape(
        shape,
        types[number % types.length],
        List.of(
            BlockShape.DEFAULT,
            ODD_BLOCKS.get(number % ODD_BLOCKS.size()),
            ODD_BLOCKS.get((number + 2) % ODD_BLOCKS.size())));
  }
}
