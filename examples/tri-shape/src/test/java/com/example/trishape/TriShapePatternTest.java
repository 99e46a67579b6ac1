package com.example.trishape;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.PatternContract;
import dev.heddle.testkit.RequiredCells;
import dev.heddle.testkit.TestTensors;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What every pattern must do, and what this one promises. */
class TriShapePatternTest extends PatternContract {
  @Override
  protected SparsePattern pattern() {
    return new TriShapePattern();
  }

  @Override
  protected List<Options> optionsThatKeepAll(int keyTokens) {
    return List.of(
        options(keyTokens - 1, 1, 0),
        options(0, keyTokens, 0),
        options(0, 1, keyTokens),
        options(Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE));
  }

  @ParameterizedTest
  @CsvSource({
    "113, 241, 4, 17, 0",
    "113, 241, 4, 17, 1",
    "241, 241, 0, 1, 30",
    "127, 1023, 64, 64, 126",
    "1023, 1023, 130, 100, 64",
    "64, 64, 1, 1, 17"
  })
  void readsWhatIsRequiredAndNoMoreThanRounding(
      int queryTokens, int keyTokens, int sink, int local, int last) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 8);
    Options options = options(sink, local, last);
    BlockIndex index = index(shape, new BlockShape(16, 8), options);

    RequiredCells.Requirement required =
        (position, key) -> key < sink || position - key < local || position >= keyTokens - last;
    RequiredCells.assertCovers(index, required, options);
    RequiredCells.assertAddsOnlyRounding(index, required, options);
  }

  @Test
  void theLastRowIsDense() {
    AttentionShape shape = new AttentionShape(1, 1, 8, 8, 8);
    BlockShape blocks = new BlockShape(4, 2);
    assertEquals(
        BlockIndex.of(shape, blocks, new int[][] {{0, 2}, {0, 2, 4, 6}}, new int[2][0]),
        index(shape, blocks, options(1, 2, 1)));
  }

  private BlockIndex index(AttentionShape shape, BlockShape blocks, Options options) {
    return pattern()
        .index(
            new TestTensors(1)
                .gaussianLayer(shape, ElementType.FLOAT32, Layout.CONTIGUOUS)
                .head(0, blocks),
            options);
  }

  private Options options(int sink, int local, int last) {
    return Options.defaults(pattern().options())
        .with(TriShapePattern.SINK, sink)
        .with(TriShapePattern.LOCAL, local)
        .with(TriShapePattern.LAST, last);
  }
}
