package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DotProductsTest {
  /**
   * Each of the headDim multiply-adds, and the scaling of the vector, rounds by at most 2^-24 of
   * the sum of the terms' sizes.
   */
  @ParameterizedTest
  @CsvSource({"1,1,1", "2,511,8", "3,512,64", "5,513,20", "64,1100,7", "1,1023,128"})
  void multipliesEveryVectorWithEveryRow(int vectors, int rows, int headDim) {
    HeadMatrix left = gaussian(vectors + 2, headDim, 1);
    HeadMatrix right = gaussian(rows + 3, headDim, 2);
    float[][] products = new float[vectors][rows];
    new DotProducts(left, 2, vectors, 0.25f).multiply(right, 3, rows, products);
    for (int vector = 0; vector < vectors; vector++) {
      for (int row = 0; row < rows; row++) {
        double sum = 0;
        double sizes = 0;
        for (int dim = 0; dim < headDim; dim++) {
          double term = 0.25 * left.get(2 + vector, dim) * right.get(3 + row, dim);
          sum += term;
          sizes += Math.abs(term);
        }
        assertThat((double) products[vector][row])
            .as("vector %d, row %d", vector, row)
            .isCloseTo(sum, within((headDim + 1) * 0x1p-24 * sizes));
      }
    }
  }

  @Test
  void aNumberThatIsNotFiniteStaysInItsRow() {
    float[] numbers = {1, 1, 1, Float.NaN, 1, Float.POSITIVE_INFINITY, 1, 1};
    HeadMatrix rows =
        HeadMatrix.contiguous(MemorySegment.ofArray(numbers), ElementType.FLOAT32, 4, 2);
    float[][] products = new float[1][4];
    new DotProducts(rows, 0, 1, 1).multiply(rows, 0, 4, products);
    assertThat(products[0]).containsExactly(2, Float.NaN, Float.POSITIVE_INFINITY, 2);
  }

  @Test
  void refusesRowsThatAreNotThereOrDoNotFit() {
    HeadMatrix left = gaussian(4, 8, 1);
    DotProducts products = new DotProducts(left, 0, 4, 1);
    assertThat(products.count()).isEqualTo(4);
    assertThatThrownBy(() -> new DotProducts(left, 1, 4, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("4 rows from row 1 are not among the rows 0 to 3");
    assertThatThrownBy(() -> products.multiply(left, 3, 2, new float[4][2]))
        .hasMessage("2 rows from row 3 are not among the rows 0 to 3");
    assertThatThrownBy(() -> products.multiply(gaussian(4, 9, 1), 0, 4, new float[4][4]))
        .hasMessage("rows of 9 numbers cannot be multiplied with vectors of 8");
    assertThatThrownBy(() -> products.multiply(left, 0, 4, new float[3][4]))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  private static HeadMatrix gaussian(int tokens, int headDim, long seed) {
    Random random = new Random(seed);
    float[] numbers = new float[tokens * headDim];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return HeadMatrix.contiguous(
        MemorySegment.ofArray(numbers), ElementType.FLOAT32, tokens, headDim);
  }
}
