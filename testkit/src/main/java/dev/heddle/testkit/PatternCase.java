package dev.heddle.testkit;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.ArrayList;
import java.util.List;

/**
 * One input that a pattern is tried on. Its text is what a failure shows.
 *
 * @param pattern the pattern
 * @param options its options
 * @param shape the layer's sizes
 * @param blocks the tile of the index
 * @param seed of the numbers
 */
record PatternCase(
    SparsePattern pattern, Options options, AttentionShape shape, BlockShape blocks, long seed) {
  /**
   * The indices of all query heads of {@code layer}.
   *
   * @throws AssertionError naming this case if the pattern throws or gives nothing
   */
  List<BlockIndex> indices(TestLayer layer) {
    List<BlockIndex> indices = new ArrayList<>();
    for (int head = 0; head < layer.shape().queryHeads(); head++) {
      indices.add(index(layer, head));
    }
    return indices;
  }

  /** An {@link OutOfMemoryError} passes as it is: the next allocation of a message might fail. */
  private BlockIndex index(TestLayer layer, int head) {
    BlockIndex index;
    try {
      index = pattern.index(layer.head(head, blocks), options);
    } catch (RuntimeException | AssertionError | StackOverflowError | LinkageError failure) {
      throw new AssertionError(
          "index() threw %s, at head %d of %s: %s"
              .formatted(failure, head, layer.queries().type(), this),
          failure);
    }
    if (index == null) {
      throw new AssertionError("index() gave null, at head %d: %s".formatted(head, this));
    }
    return index;
  }

  TestLayer layer(ElementType type, Layout layout) {
    return new TestTensors(seed).rotaryLayer(shape, type, layout);
  }

  PatternCase with(SparsePattern other) {
    return new PatternCase(other, options, shape, blocks, seed);
  }

  PatternCase with(AttentionShape other) {
    return new PatternCase(pattern, options, other, blocks, seed);
  }

  @Override
  public String toString() {
    return "pattern '%s', options [%s], %d query heads on %d key/value heads, %d queries of %d keys, head dim %d, blocks of %d x %d, seed %d"
        .formatted(
            pattern.name(),
            options,
            shape.queryHeads(),
            shape.keyValueHeads(),
            shape.queryTokens(),
            shape.keyTokens(),
            shape.headDim(),
            blocks.queryRows(),
            blocks.keyColumns(),
            seed);
  }
}
