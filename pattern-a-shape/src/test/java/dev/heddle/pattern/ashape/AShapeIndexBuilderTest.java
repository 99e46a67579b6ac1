package dev.heddle.pattern.ashape;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.testkit.RequiredCells;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AShapeIndexBuilderTest {
  @ParameterizedTest
  @CsvSource({
    "1,1,128,64",
    "63,63,128,64",
    "64,64,64,64",
    "65,65,16,32",
    "113,241,5,7",
    "127,1023,128,64",
    "1023,1023,128,64",
    "1,777,1,1"
  })
  void coversSinksAndWindowAndAddsOnlyRounding(
      int queryTokens, int keyTokens, int queryRows, int keyColumns) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 8);
    BlockShape blocks = new BlockShape(queryRows, keyColumns);
    int[][] budgets = {{0, 1}, {1, 1}, {4, 17}, {64, 64}, {130, 100}, {33, 700}, {0, 1023}};
    for (int[] budget : budgets) {
      AShapeIndexBuilder pattern = new AShapeIndexBuilder(budget[0], budget[1]);
      BlockIndex index = pattern.build(shape, blocks);
      String description = pattern + ", " + shape + ", " + blocks;
      RequiredCells.Requirement requirement =
          (position, key) -> key < pattern.sink() || position - key < pattern.local();

      RequiredCells.assertCovers(index, requirement, description);
      RequiredCells.assertAddsOnlyRounding(index, requirement, description);
      assertThat(index.isDense())
          .as("is dense: %s", description)
          .isEqualTo(budget[0] + budget[1] >= keyTokens);
    }
  }

  @Test
  void windowOfTheFirstQueryOfABlockDecides() {
    AttentionShape shape = new AttentionShape(1, 1, 8, 8, 16);
    BlockIndex index = new AShapeIndexBuilder(1, 2).build(shape, new BlockShape(4, 2));
    assertThat(index)
        .isEqualTo(
            BlockIndex.of(
                shape, new BlockShape(4, 2), new int[][] {{0, 2}, {0, 3, 5, 7}}, new int[2][0]));
  }
}
