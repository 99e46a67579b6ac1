package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LlamaModelTest {
  private static final LlamaModel.Settings SETTINGS = Attentions.PROCESSOR;

  /**
   * Two ways to compute the same logits differ by the rounding of their sums; so does the same way
   * twice, because the compiled Vector API may add the lanes of a vector in another order. The
   * model's numbers are near 1, its longest sums have 200 terms and it has 14 sums one behind the
   * other: 14 · √200 · 2^-24 = 1.2e-5, and four times that for the worst of some hundred numbers.
   */
  private static final double ROUNDING = 5e-5;

  @TempDir Path folder;
  private LlamaModel model;
  private SparseAttention dense;

  @BeforeEach
  void open() {
    new RandomModel("llama", ElementType.FLOAT32, 2, 2).write(folder, 1);
    model = LlamaModel.open(folder, SETTINGS);
    dense = Attentions.dense(model.attentionShape());
  }

  @AfterEach
  void close() {
    dense.close();
    model.close();
  }

  private static int[] prompt(int tokens) {
    SplittableRandom random = new SplittableRandom(99);
    return IntStream.range(0, tokens).map(_ -> random.nextInt(RandomModel.VOCABULARY)).toArray();
  }

  private Logits prefill(KeyValueCache cache, int[] tokens) {
    return model.prefill(dense, cache, tokens, PrefillProgress.SILENT).logits();
  }

  private static void assertSame(Logits expected, Logits actual) {
    float[] a = expected.at(0);
    float[] b = actual.at(0);
    for (int token = 0; token < a.length; token++) {
      assertThat((double) b[token]).isCloseTo(a[token], Offset.offset(ROUNDING));
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1", "1,64", "63,1", "64,65", "65,64", "113,14", "127,1"})
  void aPromptInTwoPartsIsAPromptInOne(int first, int second) {
    int[] whole = prompt(first + second);
    try (KeyValueCache one = model.newCache(whole.length);
        KeyValueCache two = model.newCache(whole.length + 5)) {
      prefill(two, Arrays.copyOf(whole, first));
      Logits inParts = prefill(two, Arrays.copyOfRange(whole, first, whole.length));
      assertSame(prefill(one, whole), inParts);
      assertThat(two.tokens()).isEqualTo(whole.length);
    }
  }

  @Test
  void aTruncatedCacheAnswersAsIfNothingHadFollowed() {
    int[] text = prompt(100);
    int[] question = {3, 1, 4, 1, 5};
    try (KeyValueCache cache = model.newCache(120);
        KeyValueCache fresh = model.newCache(120)) {
      prefill(cache, text);
      Logits first = prefill(cache, question);
      cache.truncate(100);
      prefill(cache, new int[] {9, 9, 9, 9, 9, 9, 9});
      cache.truncate(100);
      assertSame(first, prefill(cache, question));
      prefill(fresh, text);
      assertSame(first, prefill(fresh, question));
    }
  }

  @Test
  void decodingIsPrefillOfOneToken() {
    int[] text = prompt(70);
    try (KeyValueCache decoded = model.newCache(70);
        KeyValueCache read = model.newCache(70)) {
      prefill(decoded, Arrays.copyOf(text, 30));
      Logits last = prefill(read, text);
      for (int i = 30; i < 69; i++) {
        model.decode(dense, decoded, text[i]);
      }
      assertSame(last, model.decode(dense, decoded, text[69]));
    }
  }

  @Test
  void logitsComeInTheOrderOfThePositions() {
    int[] text = prompt(90);
    int[] positions = IntStream.iterate(89, i -> i >= 0, i -> i - 1).toArray();
    try (KeyValueCache cache = model.newCache(90);
        KeyValueCache other = model.newCache(90)) {
      Logits all = model.prefillAt(dense, cache, text, positions, PrefillProgress.SILENT).logits();
      assertThat(all.positions()).isEqualTo(90);
      assertSame(prefill(other, text), all);
      other.truncate(0);
      assertThat(all.greatest(89)).isEqualTo(prefill(other, new int[] {text[0]}).greatest(0));
    }
  }

  @Test
  void theReferenceBackendComputesTheSame() {
    int[] text = prompt(40);
    LlamaModel.Settings settings = SETTINGS.withBackend("reference").withThreads(1);
    try (LlamaModel reference = LlamaModel.open(folder, settings);
        KeyValueCache cache = model.newCache(40);
        KeyValueCache other = reference.newCache(40)) {
      assertSame(
          reference.prefill(dense, other, text, PrefillProgress.SILENT).logits(),
          prefill(cache, text));
    }
  }

  @Test
  void sparseAttentionThatCoversThePromptIsDense() {
    int[] text = prompt(300);
    try (SparseAttention covering =
            Attentions.uniform(
                model.attentionShape(), "a-shape", Map.of("sink", 300, "local", 300));
        KeyValueCache cache = model.newCache(300);
        KeyValueCache other = model.newCache(300)) {
      Prefilled sparse = model.prefill(covering, cache, text, PrefillProgress.SILENT);
      assertSame(prefill(other, text), sparse.logits());
    }
  }

  @Test
  void sparseAttentionComputesLessAndReportsIt() {
    int[] text = prompt(1500);
    try (SparseAttention sparse =
            Attentions.uniform(model.attentionShape(), "a-shape", Map.of("sink", 1, "local", 64));
        KeyValueCache cache = model.newCache(1500);
        KeyValueCache other = model.newCache(1500)) {
      Prefilled prefilled = model.prefill(sparse, cache, text, PrefillProgress.SILENT);
      assertThat(prefilled.reports()).extracting(PrefillReport::layer).containsExactly(0, 1);
      assertThat(prefilled.reports()).allMatch(report -> report.density() < 0.5);
      assertThat(prefilled.logits()).isNotEqualTo(prefill(other, text));
    }
  }

  @Test
  void progressGrowsToOne() {
    List<Double> fractions = new ArrayList<>();
    List<Integer> layers = new ArrayList<>();
    try (KeyValueCache cache = model.newCache(10)) {
      model.prefill(
          dense,
          cache,
          prompt(10),
          (layer, fraction) -> {
            layers.add(layer);
            fractions.add(fraction);
          });
    }
    assertThat(fractions).isSorted().doesNotHaveDuplicates().last().isEqualTo(1.0);
    assertThat(layers).isSorted().startsWith(0).endsWith(1);
  }

  @Test
  void onTheProcessorThereIsOneKindOfCache() {
    try (KeyValueCache cache = model.newCache(10)) {
      assertThat(cache.kind()).isEqualTo(CacheKind.HOST);
    }
    assertThatThrownBy(() -> LlamaModel.open(folder, SETTINGS.withCacheKind(CacheKind.DEVICE_FP8)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "a model on the processor keeps no keys and values on the GPU in 8-bit floats"
                + " (device-fp8); allowed: auto, host");
    LlamaModel.open(folder, SETTINGS.withCacheKind(CacheKind.HOST)).close();
  }

  @Test
  void theMemoryEstimateIsWhatIsAllocated() {
    MemoryEstimate estimate = model.memoryEstimate(131_072, 10);
    // 2 (K, V) x 2 layers x 2 heads x 131,082 tokens x 32 numbers of 4 bytes
    assertThat(estimate.cacheBytes()).isEqualTo(2L * 2 * 2 * 131_082 * 32 * 4);
    try (var arena = Arena.ofConfined()) {
      Activations memory = Activations.allocate(arena, model.config(), 3000);
      long allocated =
          Stream.of(
                  memory.hidden(),
                  memory.queries(),
                  memory.attended(),
                  memory.cosines(),
                  memory.sines(),
                  memory.normalised(),
                  memory.keys(),
                  memory.values(),
                  memory.gate(),
                  memory.up(),
                  memory.projected())
              .mapToLong(rows -> rows.memory().byteSize())
              .sum();
      assertThat(Activations.bytes(model.config(), 3000)).isEqualTo(allocated);
    }
  }

  @Test
  void aPromptThatDoesNotFitMemoryIsRefusedBeforeWork() {
    try (LlamaModel small = LlamaModel.open(folder, SETTINGS.withMemoryLimit(1 << 20))) {
      assertThatThrownBy(() -> small.requireReadable(2000, 48))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("a prompt of 2000 tokens with 48 new ones needs 0.01 GiB of memory")
          .hasMessageContaining(
              "but 0.00 GiB may be used; allowed: a shorter text, or more memory");
      assertThatThrownBy(() -> small.newCache(2048))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("a cache of 2048 tokens needs");
      try (KeyValueCache cache = small.newCache(1000)) {
        assertThatThrownBy(() -> small.prefill(dense, cache, prompt(1000), PrefillProgress.SILENT))
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("a prompt of 1000 tokens needs");
        assertThat(cache.tokens()).isZero();
      }
    }
  }

  @Test
  void aPromptLongerThanThePositionsIsRefusedBeforeWork() {
    assertThatThrownBy(() -> model.requireReadable(2049, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "a prompt of 2049 tokens is too long; allowed: 2048, the model's"
                + " max_position_embeddings");
    assertThatThrownBy(() -> model.newCache(2049)).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void aPromptLongerThanAWindowIsRefusedBeforeWork(@TempDir Path other) {
    new RandomModel("mistral", ElementType.FLOAT32, 1, 1)
        .with("sliding_window", 64)
        .write(other, 1);
    try (LlamaModel windowed = LlamaModel.open(other, SETTINGS)) {
      windowed.requireReadable(64, 0);
      assertThatThrownBy(() -> windowed.requireReadable(65, 0))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("a prompt of 65 tokens is too long; allowed: 64")
          .hasMessageContaining("sliding_window");
    }
  }

  @Test
  void badCallsAreRefusedAndLeaveTheCacheAsItWas(@TempDir Path other) {
    new RandomModel("llama", ElementType.FLOAT32, 1, 1).write(other, 1);
    try (KeyValueCache cache = model.newCache(4);
        LlamaModel otherModel = LlamaModel.open(other, SETTINGS);
        KeyValueCache otherCache = otherModel.newCache(4)) {
      prefill(cache, new int[] {1, 2});
      assertRefused(() -> prefill(cache, new int[0]), "the prompt is empty");
      assertRefused(
          () -> prefill(cache, new int[] {50}),
          "token 50 is not in the model's vocabulary; allowed: 0 to 49");
      assertRefused(
          () -> prefill(cache, new int[] {1, 2, 3}),
          "the cache holds 2 tokens and has room for 2, not for 3 more");
      assertRefused(() -> prefill(otherCache, new int[] {1}), "the cache is for ModelShape");
      assertRefused(() -> cache.truncate(3), "the cache holds 2 tokens; 3 of them cannot be kept");
      assertRefused(() -> model.newCache(0), "a cache holds at least 1 token, not 0");
      assertThat(cache.tokens()).isEqualTo(2);
    }
  }

  @Test
  void aFacadeForAnotherModelIsRefused(@TempDir Path other) {
    new RandomModel("llama", ElementType.FLOAT32, 1, 1).write(other, 1);
    try (LlamaModel otherModel = LlamaModel.open(other, SETTINGS);
        KeyValueCache cache = otherModel.newCache(4)) {
      assertThatThrownBy(
              () -> otherModel.prefill(dense, cache, new int[] {1, 2}, PrefillProgress.SILENT))
          .isInstanceOf(InvalidInputException.class);
      assertThat(cache.tokens()).isZero();
    }
  }

  private static void assertRefused(ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
  }
}
