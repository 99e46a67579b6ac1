package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.ElementType;
import dev.heddle.runtime.SparseAttention;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares the decoder with its equations in float64, at awkward lengths. A causal model's logits
 * behind a token do not depend on what follows, so that one run of the oracle serves all lengths.
 *
 * <p>The tolerance is twice the error of the same equations in plain float32: Heddle's sums are in
 * another order, but of the same numbers.
 */
class NaiveDecoderTest {
  private static final double ALLOWED_TIMES_FLOAT32_ERROR = 2;
  private static final long SEED = 4711;

  @TempDir Path folder;

  /**
   * A model and the prompt lengths to try.
   *
   * @param lengths ascending
   */
  record Variant(String name, RandomModel model, List<Integer> lengths) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Variant> variants() {
    List<Integer> lengths = List.of(1, 2, 63, 64, 65, 113, 127);
    return Stream.of(
        // One more token than a chunk of matrix products holds.
        new Variant(
            "llama, group 1, float32",
            new RandomModel("llama", ElementType.FLOAT32, 1, 1).with("num_hidden_layers", 1),
            List.of(1, 1023, Activations.CHUNK_TOKENS, Activations.CHUNK_TOKENS + 1)),
        new Variant(
            "llama, group 4, biases, tied, bfloat16",
            new RandomModel("llama", ElementType.BFLOAT16, 2, 4)
                .with("attention_bias", true)
                .with("mlp_bias", true)
                .with("tie_word_embeddings", true),
            lengths),
        new Variant(
            "qwen2, group 8, float16",
            new RandomModel("qwen2", ElementType.FLOAT16, 1, 8),
            lengths),
        new Variant(
            "qwen3, group 2, float32",
            new RandomModel("qwen3", ElementType.FLOAT32, 2, 2).with("head_dim", 40),
            lengths));
  }

  @ParameterizedTest
  @MethodSource("variants")
  void logitsAreThoseOfTheEquations(Variant variant) {
    variant.model().write(folder, SEED);
    int[] prompt = prompt(variant.lengths().getLast());
    double[][] exact;
    double float32Error;
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("model.safetensors"))) {
      ModelConfig config = ModelConfig.read(folder);
      exact = new NaiveDecoder(file, config, x -> x).logits(prompt);
      float32Error =
          greatestDifference(exact, new NaiveDecoder(file, config, x -> (float) x).logits(prompt));
    }
    assertThat(float32Error).isPositive();
    try (LlamaModel model = LlamaModel.open(folder, Attentions.PROCESSOR);
        SparseAttention attention = Attentions.dense(model.attentionShape())) {
      for (int length : variant.lengths()) {
        double[][] actual = allLogits(model, attention, Arrays.copyOf(prompt, length));
        assertThat(greatestDifference(Arrays.copyOf(exact, length), actual))
            .as("%s, %d tokens, seed %d", variant, length, SEED)
            .isLessThanOrEqualTo(ALLOWED_TIMES_FLOAT32_ERROR * float32Error);
      }
    }
  }

  private static double[][] allLogits(LlamaModel model, SparseAttention attention, int[] prompt) {
    int[] positions = IntStream.range(0, prompt.length).toArray();
    try (KeyValueCache cache = model.newCache(prompt.length)) {
      Logits logits =
          model.prefillAt(attention, cache, prompt, positions, PrefillProgress.SILENT).logits();
      double[][] rows = new double[prompt.length][RandomModel.VOCABULARY];
      for (int position : positions) {
        float[] row = logits.at(position);
        for (int token = 0; token < row.length; token++) {
          rows[position][token] = row[token];
        }
      }
      return rows;
    }
  }

  private static int[] prompt(int tokens) {
    SplittableRandom random = new SplittableRandom(SEED);
    return IntStream.range(0, tokens).map(_ -> random.nextInt(RandomModel.VOCABULARY)).toArray();
  }

  private static double greatestDifference(double[][] expected, double[][] actual) {
    assertThat(actual).hasDimensions(expected.length, expected[0].length);
    double greatest = 0;
    for (int i = 0; i < expected.length; i++) {
      for (int j = 0; j < expected[i].length; j++) {
        greatest = Math.max(greatest, Math.abs(expected[i][j] - actual[i][j]));
      }
    }
    return greatest;
  }
}
