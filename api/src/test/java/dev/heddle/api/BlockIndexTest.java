package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BlockIndexTest {
  private static final AttentionShape EIGHT = new AttentionShape(1, 1, 8, 8, 16);
  private static final BlockShape FOUR_BY_TWO = new BlockShape(4, 2);
  private static final int[][] NOTHING = {{}, {}};

  @Test
  void exampleOfTheDocumentation() {
    BlockIndexBuilder builder = BlockIndex.builder(EIGHT, FOUR_BY_TWO);
    for (int row = 0; row < 2; row++) {
      builder.addRange(0, 1).addRange(builder.firstPosition() - 1, builder.visibleKeys()).endRow();
    }
    BlockIndex index = builder.build();

    assertThat(index)
        .isEqualTo(BlockIndex.of(EIGHT, FOUR_BY_TWO, new int[][] {{0, 2}, {0, 3, 5, 7}}, NOTHING));
    assertThat(reads(index, 3)).isEqualTo("0 1 2 3 ");
    assertThat(reads(index, 7)).isEqualTo("0 1 3 4 5 6 7 ");
    assertThat(index.cells()).isEqualTo(10 + 4 + 5 + 6 + 7);
    assertThat(index.density()).isEqualTo(32 / 36.0);
  }

  @ParameterizedTest
  @CsvSource({"1,1,1,1", "7,7,4,2", "8,8,4,2", "5,12,3,4", "1,9,4,4", "33,65,16,8", "9,9,64,64"})
  void readsWhatTheRowsList(int queryTokens, int keyTokens, int queryRows, int keyColumns) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 8);
    BlockShape blocks = new BlockShape(queryRows, keyColumns);
    for (int seed = 0; seed < 50; seed++) {
      IndexRows rows = IndexRows.random(shape, blocks, new Random(seed));
      BlockIndex index = rows.index(shape, blocks);
      long cells = 0;
      for (int query = 0; query < queryTokens; query++) {
        for (int key = 0; key < keyTokens; key++) {
          boolean expected =
              key <= query + shape.firstQueryPosition()
                  && rows.lists(query / queryRows, key, keyColumns);
          assertThat(index.attends(query, key))
              .as("query %d, key %d, seed %d", query, key, seed)
              .isEqualTo(expected);
          cells += expected ? 1 : 0;
        }
      }
      assertThat(index.cells()).as("cells, seed %d", seed).isEqualTo(cells);
      assertThat(index.density()).isEqualTo((double) cells / shape.causalCells());
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1,1,1", "7,7,4,2", "5,12,3,4", "9,9,64,64"})
  void denseReadsEverythingUpToTheDiagonal(
      int queryTokens, int keyTokens, int queryRows, int keyColumns) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 8);
    BlockIndex index = BlockIndex.dense(shape, new BlockShape(queryRows, keyColumns));
    int[][] starts = new int[index.rows()][];
    for (int row = 0; row < starts.length; row++) {
      starts[row] = new int[index.blockCount(row)];
      for (int i = 0; i < starts[row].length; i++) {
        starts[row][i] = index.blockStart(row, i);
      }
      assertThat(index.columnCount(row)).isZero();
    }
    BlockIndex listed = BlockIndex.of(shape, index.blocks(), starts, new int[starts.length][0]);

    assertThat(index.isDense()).isTrue();
    assertThat(listed.isDense()).isFalse();
    assertThat(index.bytes()).isZero();
    assertThat(index.cells()).isEqualTo(shape.causalCells()).isEqualTo(listed.cells());
    for (int query = 0; query < queryTokens; query++) {
      assertThat(reads(index, query)).isEqualTo(reads(listed, query));
    }
  }

  @Test
  void blocksMayBeWiderThanAnyPrompt() {
    BlockShape wide = new BlockShape(Integer.MAX_VALUE, Integer.MAX_VALUE);
    BlockIndex index = BlockIndex.of(EIGHT, wide, new int[][] {{0}}, new int[][] {{}});
    assertThat(index.cells()).isEqualTo(36);
    assertThat(index.attends(7, 7)).isTrue();
    assertThat(BlockIndex.builder(EIGHT, wide).addBlock(0).endRow().build().cells()).isEqualTo(36);
  }

  @Test
  void keysOutsideTheSequenceAreNotRead() {
    BlockIndex index = BlockIndex.dense(EIGHT, FOUR_BY_TWO);
    assertThat(index.attends(7, -1)).isFalse();
    assertThat(index.attends(7, 8)).isFalse();
    assertThat(index.attends(0, Integer.MAX_VALUE)).isFalse();
    assertThatThrownBy(() -> index.attends(8, 0)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> index.column(0, 0)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void equalWhenTheListsAreEqual() {
    BlockIndex index = BlockIndex.of(EIGHT, FOUR_BY_TWO, new int[][] {{0}, {0}}, NOTHING);
    assertThat(BlockIndex.of(EIGHT, FOUR_BY_TWO, new int[][] {{0}, {0}}, NOTHING))
        .isEqualTo(index)
        .hasSameHashCodeAs(index);
    assertThat(BlockIndex.of(EIGHT, FOUR_BY_TWO, new int[][] {{0}, {1}}, NOTHING))
        .isNotEqualTo(index);
    assertThat(BlockIndex.of(EIGHT, FOUR_BY_TWO, new int[][] {{0}, {0}}, new int[][] {{}, {5}}))
        .isNotEqualTo(index);
    assertThat(BlockIndex.dense(EIGHT, FOUR_BY_TWO))
        .isEqualTo(BlockIndex.dense(EIGHT, FOUR_BY_TWO))
        .isNotEqualTo(index)
        .isNotEqualTo(BlockIndex.dense(EIGHT, new BlockShape(4, 4)));
    assertThat(index).hasToString("BlockIndex[2 rows of 4 x 2, density 0.4167]");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void refusesAWrongNumberOfRows(int rows) {
    assertThatThrownBy(() -> BlockIndex.of(EIGHT, FOUR_BY_TWO, new int[rows][0], new int[rows][0]))
        .isInstanceOf(InvalidIndexException.class)
        .hasMessage(
            "row %d: lists of blocks for %d query blocks, but there are 2",
            Math.min(rows, 2), rows);
    assertThatThrownBy(
            () -> BlockIndex.of(EIGHT, FOUR_BY_TWO, new int[][] {{0}, {0}}, new int[rows][0]))
        .hasMessageContaining("lists of columns for %d query blocks, but there are 2", rows);
  }

  @Test
  void namesTheRowAndTheRuleThatItBreaks() {
    assertRefused(new int[] {0, -1}, new int[] {}, "block -1 is outside the keys 0 to 7 that");
    assertRefused(new int[] {0, 8}, new int[] {}, "block 8 is outside the keys 0 to 7 that");
    assertRefused(new int[] {0}, new int[] {8}, "column 8 is outside the keys 0 to 7 that");
    assertRefused(new int[] {2, 0}, new int[] {}, "block 0 follows block 2: not sorted, or a key");
    assertRefused(new int[] {0, 1}, new int[] {}, "block 1 follows block 0: not sorted, or a key");
    assertRefused(new int[] {0}, new int[] {5, 4}, "column 4 follows column 5: not sorted");
    assertRefused(new int[] {0}, new int[] {5, 5}, "column 5 follows column 5: not sorted");
    assertRefused(new int[] {0, 4}, new int[] {5}, "column 5 also lies in block 4: a key twice");
    assertRefused(new int[] {}, new int[] {}, "empty: its queries would read no key");
    assertRefused(
        new int[] {5},
        new int[] {},
        "its first query, at position 4, would read no key: the first key listed is 5");
  }

  @Test
  void refusesWhatLiesAboveTheDiagonalOfAnEarlierRow() {
    assertThatThrownBy(() -> BlockIndex.of(EIGHT, FOUR_BY_TWO, new int[][] {{0, 4}, {0}}, NOTHING))
        .hasMessage("row 0: block 4 is outside the keys 0 to 3 that its queries may see");
  }

  @Test
  void chunksSeeTheKeysBeforeThem() {
    AttentionShape chunk = new AttentionShape(1, 1, 2, 100, 8);
    BlockIndex index =
        BlockIndex.of(chunk, BlockShape.DEFAULT, new int[][] {{}}, new int[][] {{98, 99}});
    assertThat(index.rows()).isEqualTo(1);
    assertThat(index.queriesInRow(0)).isEqualTo(2);
    assertThat(index.visibleKeys(0)).isEqualTo(100);
    assertThat(index.cells()).isEqualTo(3);
  }

  private static void assertRefused(int[] blockStarts, int[] columns, String reason) {
    assertThatThrownBy(() ->
            BlockIndex.of(
                EIGHT, FOUR_BY_TWO, new int[][] {{0}, blockStarts}, new int[][] {{}, columns}))
        .isInstanceOfSatisfying(
            InvalidIndexException.class, refusal -> assertThat(refusal.row()).isEqualTo(1))
        .hasMessageStartingWith("row 1: " + reason);
  }

  private static String reads(BlockIndex index, int query) {
    StringBuilder keys = new StringBuilder();
    for (int key = 0; key < index.shape().keyTokens(); key++) {
      if (index.attends(query, key)) {
        keys.append(key).append(' ');
      }
    }
    return keys.toString();
  }
}
