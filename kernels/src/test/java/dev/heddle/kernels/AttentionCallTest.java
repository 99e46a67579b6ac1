package dev.heddle.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.MatrixProducts.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

class AttentionCallTest {
  private static final AttentionShape SHAPE = new AttentionShape(2, 1, 3, 5, 32);
  private static final BlockIndex INDEX = BlockIndex.dense(SHAPE, BlockShape.DEFAULT);
  private static final HeadTensor QUERIES = tensor(2, 3);
  private static final HeadTensor KEYS = tensor(1, 5);

  @Test
  void takesWhatFits() {
    AttentionCall call = call(QUERIES, KEYS, Arena.ofAuto().allocate(24), List.of(INDEX, INDEX));
    assertThat(call.wantsLogSumExp()).isTrue();
    assertThat(call(QUERIES, KEYS, MemorySegment.NULL, List.of(INDEX, INDEX)).wantsLogSumExp())
        .isFalse();
  }

  @Test
  void namesTheTensorOfTheWrongSize() {
    assertThatThrownBy(() -> call(tensor(1, 3), KEYS, MemorySegment.NULL, List.of(INDEX, INDEX)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("queries are 1 heads x 3 tokens x 32 numbers, but the shape says 2 x 3 x 32");
    assertThatThrownBy(() -> call(QUERIES, tensor(1, 4), MemorySegment.NULL, List.of(INDEX, INDEX)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("keys are 1 heads x 4 tokens x 32 numbers, but the shape says 1 x 5 x 32");
  }

  @Test
  void refusesTooLittleMemoryForTheLogSumExp() {
    assertThatThrownBy(
            () -> call(QUERIES, KEYS, Arena.ofAuto().allocate(23), List.of(INDEX, INDEX)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("logSumExp holds 23 bytes, but 6 float32 values are written");
  }

  @Test
  void refusesIndicesOfAnotherNumberOrShape() {
    assertThatThrownBy(() -> call(QUERIES, KEYS, MemorySegment.NULL, List.of(INDEX)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("1 indices for 2 query heads");
    BlockIndex other = BlockIndex.dense(new AttentionShape(2, 1, 3, 6, 32), BlockShape.DEFAULT);
    assertThatThrownBy(() -> call(QUERIES, KEYS, MemorySegment.NULL, List.of(INDEX, other)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("an index was built for AttentionShape[")
        .hasMessageContaining("keyTokens=6")
        .hasMessageEndingWith("not for " + SHAPE);
  }

  @Test
  void aWeightLiesInsideItsMemory() {
    MemorySegment memory = Arena.ofAuto().allocate(11);
    assertThatThrownBy(() -> new Weight(memory, ElementType.BFLOAT16, 2, 3))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("the weight needs 6 elements of type BFLOAT16, but its memory holds 5");
    assertThatThrownBy(() -> new Weight(memory, ElementType.BFLOAT16, 0, 3))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("a weight matrix has at least 1 output and 1 input, not 0 and 3");
  }

  private static AttentionCall call(
      HeadTensor queries, HeadTensor keys, MemorySegment logSumExp, List<BlockIndex> indices) {
    return new AttentionCall(SHAPE, queries, keys, KEYS, QUERIES, logSumExp, 1, indices);
  }

  private static HeadTensor tensor(int heads, int tokens) {
    MemorySegment memory = Arena.ofAuto().allocate(4L * heads * tokens * 32);
    return HeadTensor.contiguous(memory, ElementType.FLOAT32, heads, tokens, 32);
  }
}
