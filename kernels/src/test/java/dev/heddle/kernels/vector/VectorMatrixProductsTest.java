package dev.heddle.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.AttentionCases;
import dev.heddle.kernels.MatrixProducts;
import dev.heddle.kernels.MatrixProducts.Weight;
import dev.heddle.kernels.reference.ReferenceProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VectorMatrixProductsTest {
  private MatrixProducts products;

  @BeforeAll
  void open() {
    products = new VectorProvider().openMatrixProducts(2);
  }

  @AfterAll
  void close() {
    products.close();
  }

  @ParameterizedTest(name = "{0} tokens, {1} x {2}")
  @CsvSource({
    "1, 1, 1",
    "1, 7, 5",
    "2, 64, 64",
    "8, 130, 100",
    "9, 130, 100",
    "63, 64, 256",
    "64, 65, 257",
    "65, 127, 113",
    "113, 30, 513",
    "200, 5, 1023",
    "17, 300, 33",
    "1, 5, 20000"
  })
  void equalsTheSumsInFloat64(int tokens, int outputs, int inputs) {
    AttentionCases cases = new AttentionCases(tokens + outputs + inputs);
    MemorySegment in = cases.normal(ElementType.FLOAT32, 1, tokens, inputs).memory();
    for (ElementType type : ElementType.values()) {
      MemorySegment memory = cases.normal(type, 1, outputs, inputs).memory();
      Weight weight = new Weight(memory, type, outputs, inputs);
      MemorySegment actual = floats(tokens * outputs);
      MemorySegment expected = floats(tokens * outputs);
      products.multiply(in, tokens, weight, actual);
      new ReferenceProvider().openMatrixProducts(1).multiply(in, tokens, weight, expected);
      requireWithinTheBoundOfSums(in, tokens, weight, actual, expected);
    }
  }

  @Test
  void aWeightLargerThanItsScratchIsTakenInPasses() {
    int outputs = 64 * 513; // one panel more than fit at a time
    int inputs = 3;
    AttentionCases cases = new AttentionCases(1);
    MemorySegment in = cases.normal(ElementType.FLOAT32, 1, 9, inputs).memory();
    MemorySegment memory = cases.normal(ElementType.FLOAT32, 1, outputs, inputs).memory();
    Weight weight = new Weight(memory, ElementType.FLOAT32, outputs, inputs);
    MemorySegment actual = floats(9 * outputs);
    MemorySegment expected = floats(9 * outputs);
    products.multiply(in, 9, weight, actual);
    new ReferenceProvider().openMatrixProducts(1).multiply(in, 9, weight, expected);
    requireWithinTheBoundOfSums(in, 9, weight, actual, expected);
  }

  @Test
  void refusesOperandsThatAreTooSmall() {
    Weight weight = new Weight(floats(6), ElementType.FLOAT32, 2, 3);
    assertThatThrownBy(() -> products.multiply(floats(5), 2, weight, floats(4)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("in needs 6 elements of type FLOAT32, but its memory holds 5");
    assertThatThrownBy(() -> products.multiply(floats(6), 2, weight, floats(3)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("out needs 4 elements of type FLOAT32, but its memory holds 3");
    assertThatThrownBy(() -> products.multiply(floats(6), 0, weight, floats(4)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("tokens must be at least 1, but is 0");
  }

  @Test
  void refusesCallsAfterClose() {
    Weight weight = new Weight(floats(6), ElementType.FLOAT32, 2, 3);
    MatrixProducts closed = new VectorProvider().openMatrixProducts(2);
    closed.close();
    assertThatThrownBy(() -> closed.multiply(floats(3), 1, weight, floats(2)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the vector backend is closed");
  }

  /**
   * However n products are summed in float32, the sum errs by at most about n · 2^-24 times the sum
   * of their magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1). The
   * expected value is itself rounded to float32, and n + 1 pays for that.
   */
  private static void requireWithinTheBoundOfSums(
      MemorySegment in, int tokens, Weight weight, MemorySegment actual, MemorySegment expected) {
    for (int token = 0; token < tokens; token++) {
      for (int output = 0; output < weight.outputs(); output++) {
        double magnitudes = 0;
        for (int i = 0; i < weight.inputs(); i++) {
          long at = (long) output * weight.inputs() + i;
          float factor = weight.type().load(weight.memory(), at);
          magnitudes += Math.abs((double) factor * load(in, (long) token * weight.inputs() + i));
        }
        long at = (long) token * weight.outputs() + output;
        double error = Math.abs((double) load(actual, at) - load(expected, at));
        if (!(error <= (weight.inputs() + 1) * 0x1p-24 * magnitudes)) {
          assertThat(error).as("token %d, output %d", token, output).isZero();
        }
      }
    }
  }

  private static float load(MemorySegment memory, long at) {
    return ElementType.FLOAT32.load(memory, at);
  }

  private static MemorySegment floats(int count) {
    return Arena.ofAuto().allocate(4L * count);
  }
}
