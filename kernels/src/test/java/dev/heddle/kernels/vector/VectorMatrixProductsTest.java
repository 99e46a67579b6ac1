package dev.heddle.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.AttentionCases;
import dev.heddle.kernels.MatrixProducts;
import dev.heddle.kernels.MatrixProducts.Weight;
import dev.heddle.kernels.reference.ReferenceProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VectorMatrixProductsTest {
  @ParameterizedTest
  @CsvSource({
    "1, 1, 1",
    "1, 7, 5",
    "2, 64, 64",
    "8, 130, 100",
    "9, 130, 100",
    "63, 64, 256",
    "64, 65, 257",
    "65, 127, 113",
    "113, 300, 513",
    "200, 5, 1023",
    "17, 1000, 33"
  })
  void equalsTheSumsInFloat64(int tokens, int outputs, int inputs) {
    AttentionCases cases = new AttentionCases(tokens + outputs + inputs);
    HeadTensor in = cases.normal(ElementType.FLOAT32, 1, tokens, inputs);
    for (ElementType type : ElementType.values()) {
      Weight weight =
          new Weight(cases.normal(type, 1, outputs, inputs).memory(), type, outputs, inputs);
      MemorySegment actual = Arena.ofAuto().allocate(4L * tokens * outputs);
      MemorySegment expected = Arena.ofAuto().allocate(4L * tokens * outputs);
      try (MatrixProducts products = new VectorProvider().openMatrixProducts(2)) {
        products.multiply(in.memory(), tokens, weight, actual);
      }
      try (MatrixProducts products = new ReferenceProvider().openMatrixProducts(1)) {
        products.multiply(in.memory(), tokens, weight, expected);
      }
      for (long i = 0; i < (long) tokens * outputs; i++) {
        assertThat((double) ElementType.FLOAT32.load(actual, i))
            .isCloseTo(
                ElementType.FLOAT32.load(expected, i),
                org.assertj.core.data.Offset.offset(1e-6 * inputs));
      }
    }
  }
}
