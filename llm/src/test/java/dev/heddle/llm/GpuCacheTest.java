package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.ElementType;
import dev.heddle.llm.GoldenFolder.Case;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.SparseAttention;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every kind of cache of a model on a GPU, and launches that are replayed for token after token.
 */
@Tag("gpu")
class GpuCacheTest {
  private static final long SEED = 4711;
  private static final LlamaModel.Settings GPU = LlamaModel.Settings.standard().withBackend("cuda");
  private static final GoldenFolder BUNDLED = GoldenFolder.of(GoldenFolder.BUNDLED);

  @TempDir Path folder;

  @BeforeAll
  static void requireGpu() {
    GpuModels.require();
  }

  @ParameterizedTest
  @EnumSource(CacheKind.class)
  void theBundledModelWritesWhatTransformersWrites(CacheKind kind) {
    Case expected = BUNDLED.cases().getLast();
    int[] greedy = expected.greedy();
    try (LlamaModel model = LlamaModel.open(BUNDLED.modelFolder(), GPU);
        SparseAttention attention = dense(model);
        KeyValueCache cache = model.newCache(kind, expected.prompt().length + greedy.length)) {
      assertThat(cache.kind()).isEqualTo(kind);
      Generation answer =
          new Generator(model, attention)
              .generate(
                  cache,
                  expected.prompt(),
                  GenerationOptions.greedy(greedy.length),
                  GenerationListener.SILENT);
      assertThat(answer.tokens()).isNotEmpty();
      assertThat(answer.tokenArray())
          .containsExactly(Arrays.copyOf(greedy, answer.tokens().size()));
    }
  }

  /** A text in parts, then a question behind it, dropped, and asked again. */
  @ParameterizedTest
  @EnumSource(CacheKind.class)
  void whatIsThereIsReadAgain(CacheKind kind) {
    int[] text = text(3000);
    int[] question = text(40);
    try (LlamaModel model = LlamaModel.open(BUNDLED.modelFolder(), GPU);
        SparseAttention attention = dense(model);
        KeyValueCache cache = model.newCache(kind, 3100);
        KeyValueCache exact = model.newCache(CacheKind.DEVICE, 3100)) {
      for (KeyValueCache each : new KeyValueCache[] {cache, exact}) {
        read(model, attention, each, Arrays.copyOf(text, 1111));
        read(model, attention, each, Arrays.copyOfRange(text, 1111, 3000));
      }
      float[] first = read(model, attention, cache, question);
      float[] decoded = model.decode(attention, cache, 5).at(0);
      cache.truncate(3000);
      assertThat(read(model, attention, cache, question)).containsExactly(first);
      assertThat(model.decode(attention, cache, 5).at(0)).containsExactly(decoded);
      float[] expected = read(model, attention, exact, question);
      double read = difference(expected, first);
      double written = difference(model.decode(attention, exact, 5).at(0), decoded);
      System.out.printf("%s: logits differ by %.3g, decoded ones by %.3g%n", kind, read, written);
      double allowed = kind.isNarrow() ? 0.73 : 0; // as GpuLongPromptTest derives it
      assertThat(Math.max(read, written)).isLessThanOrEqualTo(allowed);
    }
  }

  @ParameterizedTest
  @EnumSource(CacheKind.class)
  void replayedLaunchesComputeTheSame(CacheKind kind) {
    int[] text = text(1500);
    try (LlamaModel model = LlamaModel.open(BUNDLED.modelFolder(), GPU);
        SparseAttention attention = dense(model);
        KeyValueCache replayed = model.newCache(kind, 2200);
        KeyValueCache launched = model.newCache(kind, 2200)) {
      read(model, attention, replayed, text);
      read(model, attention, launched, text);
      double[] nanos = new double[2];
      for (int token : text(600)) {
        long start = System.nanoTime();
        model.replayLaunches(true);
        final Logits one = model.decode(attention, replayed, token);
        long middle = System.nanoTime();
        model.replayLaunches(false);
        final Logits other = model.decode(attention, launched, token);
        nanos[0] += middle - start;
        nanos[1] += System.nanoTime() - middle;
        assertThat(one).isEqualTo(other);
      }
      System.out.printf(
          "%s: %.0f tokens/s replayed, %.0f launched%n", kind, 6e11 / nanos[0], 6e11 / nanos[1]);
    }
  }

  @ParameterizedTest
  @EnumSource(CacheKind.class)
  void manyPromptsLeaveNothingBehind(CacheKind kind) {
    new RandomModel("llama", ElementType.BFLOAT16, 2, 2).write(folder, SEED);
    try (LlamaModel model = LlamaModel.open(folder, GPU);
        SparseAttention attention = dense(model)) {
      long before = 0;
      for (int round = 0; round < 200; round++) {
        try (KeyValueCache cache = model.newCache(kind, 200)) {
          read(model, attention, cache, prompt(1 + round % 150));
          for (int token = 0; token < 3; token++) {
            model.decode(attention, cache, token);
          }
        }
        if (round == 20) {
          before = model.availableBytes();
        }
      }
      assertThat(model.availableBytes()).isGreaterThanOrEqualTo(before - (64L << 20));
    }
  }

  @Test
  void aCacheMayOutliveItsModel() {
    new RandomModel("llama", ElementType.BFLOAT16, 2, 2).write(folder, SEED);
    for (CacheKind kind : CacheKind.values()) {
      LlamaModel model = LlamaModel.open(folder, GPU);
      KeyValueCache cache = model.newCache(kind, 20);
      try (SparseAttention attention = dense(model)) {
        read(model, attention, cache, prompt(9));
        model.decode(attention, cache, 1);
        model.decode(attention, cache, 2);
      }
      model.close();
      cache.close();
    }
  }

  private static float[] read(
      LlamaModel model, SparseAttention attention, KeyValueCache cache, int[] tokens) {
    return model.prefill(attention, cache, tokens, PrefillProgress.SILENT).logits().at(0);
  }

  private static double difference(float[] expected, float[] actual) {
    double greatest = 0;
    for (int i = 0; i < expected.length; i++) {
      double distance = Math.abs((double) expected[i] - actual[i]);
      assertThat(distance).isNotNaN();
      greatest = Math.max(greatest, distance);
    }
    return greatest;
  }

  private static SparseAttention dense(LlamaModel model) {
    return SparseAttention.builder()
        .heads(HeadsConfig.uniform(model.attentionShape(), "dense", Map.of()))
        .backend("cuda")
        .build();
  }

  /** Tokens of the bundled model: letters and spaces. */
  private static int[] text(int tokens) {
    SplittableRandom random = new SplittableRandom(SEED);
    return IntStream.range(0, tokens)
        .map(_ -> random.nextInt(6) == 0 ? ' ' : random.nextInt('a', 'z' + 1))
        .toArray();
  }

  private static int[] prompt(int tokens) {
    SplittableRandom random = new SplittableRandom(SEED);
    return IntStream.range(0, tokens).map(_ -> random.nextInt(RandomModel.VOCABULARY)).toArray();
  }
}
