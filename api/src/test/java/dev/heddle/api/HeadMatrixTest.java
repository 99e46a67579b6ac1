package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeadMatrixTest {
  private static final ElementType TYPE = ElementType.FLOAT32;

  /** 24 elements, each of which holds its own number. */
  private static MemorySegment numbered() {
    float[] numbers = new float[24];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i;
    }
    return MemorySegment.ofArray(numbers);
  }

  @Test
  void findsRowsByOffsetAndStride() {
    HeadMatrix matrix = new HeadMatrix(numbered(), TYPE, 2, 3, 4, 9);
    assertThat(matrix.get(2, 3)).isEqualTo(2 + 2 * 9 + 3);
    float[] rows = new float[9];
    matrix.copyRows(1, 2, rows, 1);
    assertThat(rows).containsExactly(0, 11, 12, 13, 14, 20, 21, 22, 23);
  }

  @Test
  void copiesContiguousRowsAtOnce() {
    float[] rows = new float[8];
    HeadMatrix.contiguous(numbered(), TYPE, 6, 4).copyRows(4, 2, rows, 0);
    assertThat(rows).containsExactly(16, 17, 18, 19, 20, 21, 22, 23);
  }

  @ParameterizedTest
  @CsvSource({"0,4,4,4", "3,0,4,4", "3,4,-1,4", "3,4,0,3", "3,4,0,-4"})
  void refusesSizesThatNoMatrixHas(int tokens, int headDim, long offset, long tokenStride) {
    assertThatThrownBy(() -> new HeadMatrix(numbered(), TYPE, offset, tokens, headDim, tokenStride))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "no head matrix has %d tokens of %d numbers, offset %d, token stride %d",
            tokens, headDim, offset, tokenStride);
  }

  @Test
  void refusesRowsOutsideTheMemory() {
    assertThat(new HeadMatrix(numbered(), TYPE, 0, 6, 4, 4).tokens()).isEqualTo(6);
    assertThatThrownBy(() -> new HeadMatrix(numbered(), TYPE, 1, 6, 4, 4))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "the head's last element is number 25, but the memory holds 24 of type FLOAT32");
    assertThatThrownBy(() -> new HeadMatrix(numbered(), TYPE, Long.MAX_VALUE, 1, 4, 4))
        .hasMessageContaining("but the memory holds 24 of type FLOAT32");
    assertThatThrownBy(() -> new HeadMatrix(numbered(), TYPE, 0, 6, 4, Long.MAX_VALUE / 4))
        .hasMessageContaining("but the memory holds 24 of type FLOAT32");
  }

  @ParameterizedTest
  @CsvSource({"-1,1", "0,7", "6,1", "2147483647,1", "1,2147483647", "0,-1"})
  void refusesToCopyRowsThatAreNotThere(int first, int count) {
    HeadMatrix matrix = HeadMatrix.contiguous(numbered(), TYPE, 6, 4);
    assertThatThrownBy(() -> matrix.copyRows(first, count, new float[24], 0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("%d rows from row %d are not among the rows 0 to 5", count, first);
  }

  @Test
  void refusesToCopyPastTheTarget() {
    HeadMatrix matrix = HeadMatrix.contiguous(numbered(), TYPE, 6, 4);
    assertThatThrownBy(() -> matrix.copyRows(0, 6, new float[24], 1))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessage("6 rows of 4 numbers do not fit from 1 on in an array of 24");
    assertThatThrownBy(() -> matrix.copyRows(0, 1, new float[24], -1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void tensorFindsItsHeads() {
    HeadTensor contiguous = HeadTensor.contiguous(numbered(), TYPE, 2, 3, 4);
    assertThat(contiguous.head(1).get(2, 3)).isEqualTo(12 + 2 * 4 + 3);
    HeadTensor interleaved = HeadTensor.interleaved(numbered(), TYPE, 2, 3, 4);
    assertThat(interleaved.head(1).get(2, 3)).isEqualTo(4 + 2 * 8 + 3);
  }

  @Test
  void tensorRefusesWhatIsNotThere() {
    HeadTensor tensor = HeadTensor.contiguous(numbered(), TYPE, 2, 3, 4);
    assertThatThrownBy(() -> tensor.head(2))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("head 2 is not among the heads 0 to 1");
    assertThatThrownBy(() -> tensor.head(-1)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> HeadTensor.contiguous(numbered(), TYPE, 3, 3, 4))
        .hasMessage(
            "the head's last element is number 36, but the memory holds 24 of type FLOAT32");
    assertThatThrownBy(() -> new HeadTensor(numbered(), TYPE, 0, 3, 4, 12, 4))
        .hasMessage("no head tensor has 0 heads, head stride 12");
    assertThatThrownBy(() -> new HeadTensor(numbered(), TYPE, 2, 3, 4, -12, 4))
        .hasMessage("no head tensor has 2 heads, head stride -12");
    assertThatThrownBy(() -> new HeadTensor(numbered(), TYPE, 3, 3, 4, Long.MAX_VALUE, 4))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("but the memory holds 24 of type FLOAT32");
  }

  @Test
  void inputsMustHaveTheSizesOfTheShape() {
    HeadMatrix four = HeadMatrix.contiguous(numbered(), TYPE, 4, 4);
    HeadMatrix six = HeadMatrix.contiguous(numbered(), TYPE, 6, 4);
    AttentionShape shape = new AttentionShape(1, 1, 4, 6, 4);
    BlockShape blocks = BlockShape.DEFAULT;
    assertThat(new HeadInputs(shape, blocks, 0, 0, four, six, six, 1).queries()).isEqualTo(four);
    assertThatThrownBy(() -> new HeadInputs(shape, blocks, 0, 0, six, six, six, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("queries are 6 tokens of 4 numbers, but the shape says 4 of 4");
    assertThatThrownBy(() -> new HeadInputs(shape, blocks, 0, 0, four, four, six, 1))
        .hasMessage("keys are 4 tokens of 4 numbers, but the shape says 6 of 4");
    assertThatThrownBy(() -> new HeadInputs(shape, blocks, 0, 0, four, six, four, 1))
        .hasMessage("values are 4 tokens of 4 numbers, but the shape says 6 of 4");
  }
}
