package dev.heddle.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import org.junit.jupiter.api.Test;

class RequiredCellsTest {
  private static final AttentionShape SHAPE = new AttentionShape(1, 1, 8, 12, 4);
  private static final BlockIndex INDEX =
      BlockIndex.of(SHAPE, new BlockShape(4, 4), new int[][] {{0, 4}, {8}}, new int[][] {{}, {3}});

  @Test
  void acceptsWhatIsRequiredAndHalfABlockMore() {
    RequiredCells.assertCovers(INDEX, RequiredCellsTest::requires, "as listed");
    RequiredCells.assertAddsOnlyRounding(INDEX, RequiredCellsTest::requires, "as listed");
    RequiredCells.assertAddsOnlyRounding(
        INDEX, (position, key) -> requires(position, key) && key != 3, "two runs: four keys more");
  }

  @Test
  void namesTheCellThatIsMissing() {
    assertThatThrownBy(
            () -> RequiredCells.assertCovers(INDEX, (position, key) -> key == 4, "column 4"))
        .isInstanceOf(AssertionError.class)
        .hasMessage("query 4 at position 8 does not read key 4: column 4");
  }

  @Test
  void namesTheKeysThatAreTooMany() {
    assertThatThrownBy(
            () -> RequiredCells.assertAddsOnlyRounding(INDEX, (position, key) -> key == 3, "key 3"))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("keys added to row 0: {0, 1, 2, 4, 5, 6, 7}: key 3");
  }

  private static boolean requires(int position, int key) {
    return position < 8 ? key < 8 : key == 3 || key >= 8;
  }
}
