package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BlockIndexBuilderTest {
  private static final AttentionShape EIGHT = new AttentionShape(1, 1, 8, 8, 16);
  private static final BlockShape ONE_ROW_OF_FOURS = new BlockShape(8, 4);

  @ParameterizedTest
  @CsvSource({"1,1,1,1", "7,7,4,2", "5,60,3,4", "1,99,4,5", "33,165,16,8", "90,90,64,64"})
  void coversWhatIsNeededAndRoundsByHalfABlockPerRange(
      int queryTokens, int keyTokens, int queryRows, int keyColumns) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 8);
    BlockShape blocks = new BlockShape(queryRows, keyColumns);
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      BlockIndexBuilder builder = BlockIndex.builder(shape, blocks);
      BitSet[] needed = new BitSet[blocks.queryBlocks(queryTokens)];
      for (int row = 0; row < needed.length; row++) {
        needed[row] = addRandomKeys(builder, random);
        builder.endRow();
      }
      BlockIndex index = builder.build();
      for (int row = 0; row < needed.length; row++) {
        BitSet listed = listed(index, row);
        BitSet missed = (BitSet) needed[row].clone();
        missed.andNot(listed);
        assertThat(missed.cardinality()).as("missed, row %d, seed %d", row, seed).isZero();
        int added = listed.cardinality() - needed[row].cardinality();
        assertThat(added)
            .as("added, row %d, seed %d", row, seed)
            .isLessThanOrEqualTo(runs(needed[row]) * (keyColumns / 2));
      }
    }
  }

  @Test
  void orderAndRepetitionDoNotMatter() {
    BlockIndex expected = row().addRange(0, 3).addRange(5, 8).addColumn(4).endRow().build();
    assertThat(row().addColumn(4).addRange(5, 8).addRange(0, 3).endRow().build())
        .isEqualTo(expected);
    assertThat(
            row()
                .addRange(6, 8)
                .addRange(5, 7)
                .addRange(1, 3)
                .addRange(0, 2)
                .addRange(0, 3)
                .addColumn(4)
                .addColumn(1)
                .addColumn(4)
                .endRow()
                .build())
        .isEqualTo(expected);
  }

  @Test
  void lessThanHalfABlockBecomesColumns() {
    BlockIndex half = row().addRange(0, 2).endRow().build();
    assertThat(half.blockCount(0)).isEqualTo(1);
    assertThat(half.columnCount(0)).isZero();

    BlockIndex less = row().addRange(0, 1).addRange(3, 4).endRow().build();
    assertThat(less.blockCount(0)).isZero();
    assertThat(less.columnCount(0)).isEqualTo(2);
    assertThat(less.column(0, 1)).isEqualTo(3);
  }

  @Test
  void rangesThatTouchAreCutAsOne() {
    BlockIndex index = row().addColumn(0).addRange(1, 2).addRange(2, 3).endRow().build();
    assertThat(index.blockCount(0)).isEqualTo(1);
    assertThat(index.blockStart(0, 0)).isEqualTo(1);
  }

  @Test
  void whatCannotBeSeenIsDropped() {
    BlockIndex index =
        row()
            .addRange(Long.MIN_VALUE, 1)
            .addRange(7, Long.MAX_VALUE)
            .addRange(Long.MAX_VALUE - 1, Long.MAX_VALUE)
            .addRange(5, 3)
            .addColumn(-1)
            .addColumn(8)
            .addBlock(Integer.MAX_VALUE)
            .endRow()
            .build();
    assertThat(index.blockCount(0)).isZero();
    assertThat(index.columnCount(0)).isEqualTo(2);
    assertThat(index.column(0, 0)).isZero();
    assertThat(index.column(0, 1)).isEqualTo(7);
  }

  @Test
  void knowsWhereItsRowStands() {
    AttentionShape chunk = new AttentionShape(1, 1, 7, 20, 8);
    BlockIndexBuilder builder = BlockIndex.builder(chunk, new BlockShape(4, 4));
    assertThat(builder.row()).isZero();
    assertThat(builder.firstPosition()).isEqualTo(13);
    assertThat(builder.visibleKeys()).isEqualTo(17);
    builder.addColumn(0).endRow();
    assertThat(builder.row()).isEqualTo(1);
    assertThat(builder.firstPosition()).isEqualTo(17);
    assertThat(builder.visibleKeys()).isEqualTo(20);
  }

  @Test
  void refusesMissingRowsAndRowsTooMany() {
    BlockIndexBuilder builder = BlockIndex.builder(EIGHT, new BlockShape(4, 4));
    builder.addColumn(0).endRow();
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("only 1 of 2 rows have been ended");
    builder.addColumn(0).endRow();
    assertThatThrownBy(builder::endRow)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("all 2 rows have been ended");
    assertThat(builder.build().rows()).isEqualTo(2);
  }

  @Test
  void refusesARowThatReadsNothing() {
    BlockIndexBuilder builder = row().endRow();
    assertThatThrownBy(builder::build)
        .isInstanceOf(InvalidIndexException.class)
        .hasMessage("row 0: empty: its queries would read no key");
  }

  private static BlockIndexBuilder row() {
    return BlockIndex.builder(EIGHT, ONE_ROW_OF_FOURS);
  }

  /** Adds up to 40 ranges, blocks and columns; in ascending order for every other seed. */
  private static BitSet addRandomKeys(BlockIndexBuilder builder, Random random) {
    int visible = builder.visibleKeys();
    BitSet needed = new BitSet();
    builder.addColumn(0);
    needed.set(0);
    int sequences = 1 + random.nextInt(3);
    for (int sequence = 0; sequence < sequences; sequence++) {
      int first = random.nextInt(visible);
      while (first < visible) {
        int end = Math.min(visible, first + random.nextInt(1 + visible / 8));
        builder.addRange(first, end);
        needed.set(first, end);
        first = end + 1 + random.nextInt(1 + visible / 8);
      }
    }
    for (int i = random.nextInt(10); i > 0; i--) {
      int key = random.nextInt(visible);
      builder.addColumn(key);
      needed.set(key);
    }
    return needed;
  }

  private static BitSet listed(BlockIndex index, int row) {
    BitSet listed = new BitSet();
    for (int i = 0; i < index.blockCount(row); i++) {
      int start = index.blockStart(row, i);
      listed.set(start, Math.min(start + index.blocks().keyColumns(), index.visibleKeys(row)));
    }
    for (int i = 0; i < index.columnCount(row); i++) {
      listed.set(index.column(row, i));
    }
    return listed;
  }

  private static int runs(BitSet keys) {
    int runs = 0;
    for (int key = keys.nextSetBit(0); key >= 0; key = keys.nextSetBit(keys.nextClearBit(key))) {
      runs++;
    }
    return runs;
  }
}
