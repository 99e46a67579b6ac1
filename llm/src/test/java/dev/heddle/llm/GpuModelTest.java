package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.ElementType;
import dev.heddle.llm.GoldenFolder.Case;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.SparseAttention;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whole models on a GPU. Logits are held against those of float64; the tolerance is twice the error
 * of the plain arithmetic in the type that the GPU computes with, as it is for a kernel.
 */
@Tag("gpu")
class GpuModelTest {
  private static final double ALLOWED_TIMES_PLAIN_ERROR = 2;
  private static final long SEED = 4711;
  private static final LlamaModel.Settings GPU = LlamaModel.Settings.standard().withBackend("cuda");

  @TempDir Path folder;

  @BeforeAll
  static void requireGpu() {
    System.out.println("cuBLASLt: " + GpuModels.require().streams());
  }

  static Stream<String> models() {
    return Stream.concat(GoldenFolder.TINY.stream(), Stream.of(GoldenFolder.BUNDLED));
  }

  @ParameterizedTest
  @MethodSource("models")
  void logitsAreThoseOfTransformers(String name) {
    GoldenFolder golden = GoldenFolder.of(name);
    double allowed = ALLOWED_TIMES_PLAIN_ERROR * plainError(golden);
    double greatest = 0;
    try (LlamaModel model = LlamaModel.open(golden.modelFolder(), GPU);
        SparseAttention attention = dense(model.attentionShape())) {
      for (Case expected : golden.cases()) {
        try (KeyValueCache cache = model.newCache(expected.prompt().length)) {
          Logits logits =
              model
                  .prefillAt(
                      attention,
                      cache,
                      expected.prompt(),
                      expected.positions(),
                      PrefillProgress.SILENT)
                  .logits();
          for (int i = 0; i < expected.positions().length; i++) {
            greatest = Math.max(greatest, difference(expected.logits()[i], logits.at(i)));
          }
        }
      }
    }
    System.out.printf("%s: error %.3g, allowed %.3g%n", name, greatest, allowed);
    assertThat(greatest).as(name).isLessThanOrEqualTo(allowed);
  }

  @Test
  void theBundledModelWritesWhatTransformersWrites() {
    GoldenFolder golden = GoldenFolder.of(GoldenFolder.BUNDLED);
    Case expected = golden.cases().getLast();
    assertThat(expected.greedy()).isNotEmpty();
    try (LlamaModel model = LlamaModel.open(golden.modelFolder(), GPU);
        SparseAttention attention = dense(model.attentionShape())) {
      Generation answer =
          new Generator(model, attention)
              .generate(
                  expected.prompt(),
                  GenerationOptions.greedy(expected.greedy().length),
                  GenerationListener.SILENT);
      int[] expectedTokens = Arrays.copyOf(expected.greedy(), answer.tokens().size());
      assertThat(answer.tokenArray()).containsExactly(expectedTokens);
    }
  }

  static Stream<RandomModel> randomModels() {
    return Stream.of(
        new RandomModel("llama", ElementType.FLOAT32, 1, 1).with("num_hidden_layers", 1),
        new RandomModel("llama", ElementType.BFLOAT16, 2, 4)
            .with("attention_bias", true)
            .with("mlp_bias", true)
            .with("tie_word_embeddings", true),
        new RandomModel("qwen2", ElementType.FLOAT16, 1, 8),
        new RandomModel("qwen3", ElementType.BFLOAT16, 2, 2).with("head_dim", 40),
        new RandomModel("qwen3", ElementType.BFLOAT16, 1, 5).with("head_dim", 128));
  }

  /** Prompts in one piece, in pieces, and token by token: all are the same text. */
  @ParameterizedTest
  @MethodSource("randomModels")
  void everyWayToReadGivesTheLogitsOfTheEquations(RandomModel written) {
    written.write(folder, SEED);
    int[] prompt = prompt(130);
    double[][] exact;
    double allowed;
    ElementType type;
    ModelConfig config = ModelConfig.read(folder);
    try (WeightFiles files = WeightFiles.open(folder)) {
      type = DeviceWeightLoader.computeType(new WeightReader(files, config).read());
      exact = new NaiveDecoder(files::find, config, x -> x, x -> x).logits(prompt);
      double[][] plain = NaiveDecoder.plain(files, config, type).logits(prompt);
      allowed = ALLOWED_TIMES_PLAIN_ERROR * difference(exact, plain, 0);
    }
    try (LlamaModel model = LlamaModel.open(folder, GPU);
        SparseAttention attention = dense(model.attentionShape())) {
      for (int first : List.of(1, 64, 113, 130)) {
        double error = difference(exact, inParts(model, attention, prompt, first), first - 1);
        System.out.printf("%s, %d: error %.3g, allowed %.3g%n", type, first, error, allowed);
        assertThat(error).isLessThanOrEqualTo(allowed);
      }
    }
  }

  /** The first tokens in one pass, a few in another, the rest one by one. */
  private static double[][] inParts(
      LlamaModel model, SparseAttention attention, int[] prompt, int first) {
    double[][] rows = new double[prompt.length][];
    try (KeyValueCache cache = model.newCache(prompt.length + 3)) {
      int[] head = Arrays.copyOf(prompt, first);
      rows[first - 1] =
          wide(model.prefill(attention, cache, head, PrefillProgress.SILENT).logits().at(0));
      int next = Math.min(prompt.length, first + 7);
      if (next > first) {
        int[] positions = IntStream.range(0, next - first).toArray();
        int[] some = Arrays.copyOfRange(prompt, first, next);
        Logits logits =
            model.prefillAt(attention, cache, some, positions, PrefillProgress.SILENT).logits();
        for (int position : positions) {
          rows[first + position] = wide(logits.at(position));
        }
      }
      for (int token = next; token < prompt.length; token++) {
        rows[token] = wide(model.decode(attention, cache, prompt[token]).at(0));
      }
      assertThat(cache.tokens()).isEqualTo(prompt.length);
    }
    return rows;
  }

  @Test
  void manyPromptsLeaveNothingBehind() {
    new RandomModel("llama", ElementType.BFLOAT16, 2, 2).write(folder, SEED);
    try (LlamaModel model = LlamaModel.open(folder, GPU);
        SparseAttention attention = dense(model.attentionShape())) {
      long before = 0;
      for (int round = 0; round < 200; round++) {
        try (KeyValueCache cache = model.newCache(200)) {
          model.prefill(attention, cache, prompt(1 + round % 150), PrefillProgress.SILENT);
          model.decode(attention, cache, 1);
        }
        if (round == 20) {
          before = model.availableBytes();
        }
      }
      assertThat(model.availableBytes()).isGreaterThanOrEqualTo(before - (64L << 20));
    }
  }

  private static double plainError(GoldenFolder golden) {
    ModelConfig config = ModelConfig.read(golden.modelFolder());
    double error = 0;
    try (WeightFiles files = WeightFiles.open(golden.modelFolder())) {
      ElementType type = DeviceWeightLoader.computeType(new WeightReader(files, config).read());
      for (Case expected : golden.cases()) {
        if (config.attention().layers() > 2 && expected.prompt().length > 200) {
          continue; // the oracle is slow
        }
        double[][] plain = NaiveDecoder.plain(files, config, type).logits(expected.prompt());
        for (int i = 0; i < expected.positions().length; i++) {
          double[] row = plain[expected.positions()[i]];
          for (int token = 0; token < row.length; token++) {
            error = Math.max(error, Math.abs(row[token] - expected.logits()[i][token]));
          }
        }
      }
    }
    assertThat(error).isPositive();
    return error;
  }

  private static SparseAttention dense(ModelShape shape) {
    return SparseAttention.builder()
        .heads(HeadsConfig.uniform(shape, "dense", Map.of()))
        .backend("cuda")
        .build();
  }

  private static int[] prompt(int tokens) {
    SplittableRandom random = new SplittableRandom(SEED);
    return IntStream.range(0, tokens).map(_ -> random.nextInt(RandomModel.VOCABULARY)).toArray();
  }

  private static double[] wide(float[] row) {
    return IntStream.range(0, row.length).mapToDouble(i -> row[i]).toArray();
  }

  private static double difference(float[] expected, float[] actual) {
    assertThat(actual).hasSameSizeAs(expected);
    double greatest = 0;
    for (int i = 0; i < expected.length; i++) {
      double distance = Math.abs((double) expected[i] - actual[i]);
      assertThat(distance).isNotNaN();
      greatest = Math.max(greatest, distance);
    }
    return greatest;
  }

  private static double difference(double[][] expected, double[][] actual, int from) {
    double greatest = 0;
    for (int row = from; row < expected.length; row++) {
      for (int i = 0; i < expected[row].length; i++) {
        double distance = Math.abs(expected[row][i] - actual[row][i]);
        assertThat(distance).isNotNaN();
        greatest = Math.max(greatest, distance);
      }
    }
    return greatest;
  }
}
