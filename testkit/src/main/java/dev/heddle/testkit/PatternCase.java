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
  /** The indices of all query heads of {@code layer}. */
  List<BlockIndex> indices(TestLayer layer) {
    List<BlockIndex> indices = new ArrayList<>();
    for (int head = 0; head < shape.queryHeads(); head++) {
      indices.add(pattern.index(layer.head(head, blocks), options));
    }
    return indices;
  }

  TestLayer layer(ElementType type, Layout layout) {
    return new TestTensors(seed).rotaryLayer(shape, type, layout);
  }

  @Override
  public String toString() {
    return "%s [%s], %s, %s, seed %d".formatted(pattern.name(), options, shape, blocks, seed);
  }
}
