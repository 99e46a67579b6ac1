package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.llm.GoldenFolder.Case;
import dev.heddle.runtime.SparseAttention;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares logits and greedy continuations with those of transformers.
 *
 * <p>The tolerance is not tuned. The golden logits are of float64 arithmetic; the script measured
 * how far transformers' own float32 arithmetic is from them. Heddle adds in another order, so its
 * error is another draw from the same distribution: as a kernel's, it may be twice as large.
 */
class GoldenLogitsTest {
  private static final double ALLOWED_TIMES_FLOAT32_ERROR = 2;

  static Stream<String> models() {
    return Stream.concat(GoldenFolder.TINY.stream(), Stream.of(GoldenFolder.BUNDLED));
  }

  @ParameterizedTest
  @MethodSource("models")
  void logitsAreThoseOfTransformers(String name) {
    GoldenFolder golden = GoldenFolder.of(name);
    double allowed = ALLOWED_TIMES_FLOAT32_ERROR * golden.float32Error();
    try (LlamaModel model = LlamaModel.open(golden.modelFolder(), Attentions.PROCESSOR);
        SparseAttention attention = Attentions.dense(model.attentionShape())) {
      for (Case expected : golden.cases()) {
        try (KeyValueCache cache = model.newCache(expected.prompt().length)) {
          Prefilled prefilled =
              model.prefillAt(
                  attention,
                  cache,
                  expected.prompt(),
                  expected.positions(),
                  PrefillProgress.SILENT);
          double error = greatestError(expected, prefilled.logits());
          assertThat(error).as("%s, %s", name, expected.name()).isLessThanOrEqualTo(allowed);
        }
      }
    }
  }

  private static double greatestError(Case expected, Logits actual) {
    double greatest = 0;
    for (int i = 0; i < expected.positions().length; i++) {
      float[] row = actual.at(i);
      assertThat(row).hasSameSizeAs(expected.logits()[i]);
      for (int token = 0; token < row.length; token++) {
        greatest = Math.max(greatest, Math.abs((double) row[token] - expected.logits()[i][token]));
      }
    }
    return greatest;
  }
}
