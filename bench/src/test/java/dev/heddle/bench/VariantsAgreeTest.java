package dev.heddle.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.ElementType;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Backends;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is timed side by side computes the same. */
class VariantsAgreeTest {
  private static final AttentionShape SHAPE = new AttentionShape(8, 8, 257, 257, 64);

  @BeforeAll
  static void prepare() {
    LibtorchFunction.prepare(2);
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "0.1, 0", "0.1, 0.5"})
  void theVectorBackendComputesWhatTheReferenceDoes(double density, double columns) {
    AttentionCase attention = AttentionCase.of(SHAPE, ElementType.FLOAT32, density, columns);
    float[] vector = run("vector", attention);
    float[] reference = run("reference", attention);
    // Weighted means of standard normal numbers, in float32: errors of about 1e-6.
    assertThat(greatestDifference(vector, reference)).isLessThan(1e-5);
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, 1e-5", "BFLOAT16, 5e-2"})
  void libtorchComputesWhatTheVectorBackendDoes(ElementType type, double tolerance)
      throws Exception {
    assumeTrue(LibtorchFunction.isPresent(), "built without the profile libtorch");
    AttentionCase attention = AttentionCase.of(SHAPE, ElementType.FLOAT32, 1, 0);
    float[] vector = run("vector", attention);
    try (LibtorchAttention libtorch = new LibtorchAttention(attention.layer(), type)) {
      // bfloat16 keeps 8 bits: V, up to 4, is rounded by up to 2^-7, and so are weights and output.
      assertThat(greatestDifference(libtorch.output(), vector)).isLessThan(tolerance);
    }
  }

  @Test
  void sparseCasesHaveTheDensityThatTheyNameBesideTheDiagonal() {
    AttentionShape shape = new AttentionShape(2, 2, 4096, 4096, 64);
    double density =
        AttentionCase.of(shape, ElementType.FLOAT32, 0.1, 0.5).call().indices().get(0).density();
    // A tenth, less what was drawn twice (at most a tenth of it), and a diagonal of 128 of 2048
    // keys.
    assertThat(density).isBetween(0.09, 0.1 + 128.0 / 2048);
  }

  private static float[] run(String backendName, AttentionCase attention) {
    try (AttentionBackend backend = Backends.standard().open(backendName, 2)) {
      backend.attend(attention.call());
    }
    int count = SHAPE.queryHeads() * SHAPE.queryTokens() * SHAPE.headDim();
    float[] out = new float[count];
    ElementType.FLOAT32.load(attention.call().out().memory(), 0, out, 0, count);
    return out;
  }

  private static double greatestDifference(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double greatest = 0;
    for (int i = 0; i < expected.length; i++) {
      double difference = Math.abs((double) actual[i] - expected[i]);
      greatest =
          Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(greatest, difference);
    }
    return greatest;
  }
}
