package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShapesTest {
  @ParameterizedTest
  @CsvSource({
    "0,1,1,1,1,queryHeads",
    "1,0,1,1,1,keyValueHeads",
    "1,1,0,1,1,queryTokens",
    "1,1,1,-1,1,keyTokens",
    "1,1,1,1,0,headDim"
  })
  void refusesSizesBelowOne(int q, int kv, int queries, int keys, int dim, String name) {
    assertThatThrownBy(() -> new AttentionShape(q, kv, queries, keys, dim))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(name + " must be at least 1, but is ");
  }

  @Test
  void refusesSizesThatDoNotFitEachOther() {
    assertThatThrownBy(() -> new AttentionShape(6, 4, 1, 1, 1))
        .hasMessage("queryHeads (6) must be a multiple of keyValueHeads (4)");
    assertThatThrownBy(() -> new AttentionShape(1, 1, 5, 4, 1))
        .hasMessage("queryTokens (5) must be at most keyTokens (4): queries are the last tokens");
    assertThatThrownBy(() -> new BlockShape(0, 64))
        .hasMessage("a block needs at least 1 row and 1 column, but is 0 x 64");
    assertThatThrownBy(() -> new BlockShape(64, -1))
        .hasMessage("a block needs at least 1 row and 1 column, but is 64 x -1");
  }

  @ParameterizedTest
  @CsvSource({"1,1", "8,8", "3,8", "1,8", "127,1023"})
  void causalCellsAreThoseUpToTheDiagonal(int queryTokens, int keyTokens) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 1);
    long cells = 0;
    for (int query = 0; query < queryTokens; query++) {
      cells += query + shape.firstQueryPosition() + 1;
    }
    assertThat(shape.causalCells()).isEqualTo(cells);
  }

  @ParameterizedTest
  @CsvSource({"1,1", "8,8", "3,8", "1,8", "127,1023"})
  void cellsOfABandAreThoseNearTheDiagonal(int queryTokens, int keyTokens) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 1);
    for (int offsets = 0; offsets <= keyTokens + 2; offsets++) {
      long cells = 0;
      for (int query = 0; query < queryTokens; query++) {
        cells += Math.min(offsets, query + shape.firstQueryPosition() + 1);
      }
      assertThat(shape.bandCells(offsets)).as("%d offsets", offsets).isEqualTo(cells);
    }
  }

  @Test
  void causalCellsOfTheLongestPromptDoNotOverflow() {
    long tokens = Integer.MAX_VALUE;
    assertThat(new AttentionShape(1, 1, Integer.MAX_VALUE, Integer.MAX_VALUE, 1).causalCells())
        .isEqualTo(tokens * ((tokens + 1) / 2));
  }

  @Test
  void neighbouringQueryHeadsShareAKeyValueHead() {
    AttentionShape shape = new AttentionShape(8, 2, 1, 1, 1);
    assertThat(shape.groupSize()).isEqualTo(4);
    assertThat(shape.keyValueHead(3)).isZero();
    assertThat(shape.keyValueHead(4)).isEqualTo(1);
  }

  @Test
  void whatSequencesOfAHeadTakeIsAddedUpButForTheirLaunches() {
    assertThat(new GpuCost(3, 4, 5).plus(new GpuCost(10, 20, 2))).isEqualTo(new GpuCost(13, 24, 5));
    assertThatThrownBy(() -> new GpuCost(Double.NaN, 4, 5))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("a head cannot take NaN and 4.0 cells and 5 ns");
    assertThatThrownBy(() -> new GpuCost(3, 4, -1)).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void partialBlocksCount() {
    BlockShape blocks = new BlockShape(128, 64);
    assertThat(blocks.queryBlocks(128)).isEqualTo(1);
    assertThat(blocks.queryBlocks(129)).isEqualTo(2);
    assertThat(blocks.keyBlocks(65)).isEqualTo(2);
    assertThat(blocks.keyBlocks(Integer.MAX_VALUE)).isEqualTo(1 << 25);
  }
}
