package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.ChunkedPrefill.Chunk;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Prompts in chunks against the same prompts in one pass. */
class ChunkedPrefillTest {
  /**
   * What rounding may change: {@code LlamaModelTest} derives it for sums of 200 terms; sums over
   * 900 keys are √4.5 times as long.
   */
  private static final double ROUNDING = 1.1e-4;

  private static final int LONG = 900;

  @TempDir Path folder;

  @BeforeEach
  void write() {
    new RandomModel("llama", ElementType.FLOAT32, 2, 2).write(folder, 1);
  }

  private LlamaModel open(int chunkTokens) {
    return LlamaModel.open(folder, Attentions.PROCESSOR.withChunk(chunkTokens));
  }

  private LlamaModel openInOnePass() {
    return LlamaModel.open(folder, Attentions.PROCESSOR);
  }

  private static int[] prompt(int tokens) {
    SplittableRandom random = new SplittableRandom(99);
    return IntStream.range(0, tokens).map(_ -> random.nextInt(RandomModel.VOCABULARY)).toArray();
  }

  private static void assertSame(Logits expected, Logits actual) {
    assertThat(actual.positions()).isEqualTo(expected.positions());
    for (int position = 0; position < expected.positions(); position++) {
      float[] a = expected.at(position);
      float[] b = actual.at(position);
      for (int token = 0; token < a.length; token++) {
        assertThat((double) b[token])
            .as("position %d, token %d", position, token)
            .isCloseTo(a[token], Offset.offset(ROUNDING));
      }
    }
  }

  @Test
  void theLastChunkMayBeShorter() {
    assertThat(Chunk.of(10, 4)).containsExactly(new Chunk(0, 4), new Chunk(4, 8), new Chunk(8, 10));
    assertThat(Chunk.of(8, 4)).containsExactly(new Chunk(0, 4), new Chunk(4, 8));
    assertThat(Chunk.of(3, 4)).containsExactly(new Chunk(0, 3));
    assertThat(Chunk.of(Integer.MAX_VALUE - 1, Integer.MAX_VALUE)).hasSize(1);
    assertThat(Chunk.of(Integer.MAX_VALUE, Integer.MAX_VALUE - 5)).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 63, 64, 65, 113, 127, 199, 200, 201})
  void denseAttentionInChunksIsThatInOnePass(int chunkTokens) {
    int[] text = prompt(200);
    int[] positions = {199, 0, 64, 63, 112, 113, 0, 126};
    try (LlamaModel one = openInOnePass();
        LlamaModel chunked = open(chunkTokens);
        SparseAttention dense = Attentions.dense(one.attentionShape());
        KeyValueCache cache = one.newCache(210);
        KeyValueCache other = chunked.newCache(210)) {
      // Behind another text, so that chunks do not begin where the text does.
      one.prefill(dense, cache, new int[] {5, 6, 7}, PrefillProgress.SILENT);
      chunked.prefill(dense, other, new int[] {5, 6, 7}, PrefillProgress.SILENT);
      Prefilled whole = one.prefillAt(dense, cache, text, positions, PrefillProgress.SILENT);
      Prefilled parts = chunked.prefillAt(dense, other, text, positions, PrefillProgress.SILENT);
      assertSame(whole.logits(), parts.logits());
      assertThat(other.tokens()).isEqualTo(203);
      assertThat(parts.reports()).extracting(PrefillReport::heads).isEqualTo(heads(whole));
      assertSame(one.decode(dense, cache, 9), chunked.decode(dense, other, 9));
    }
  }

  private static List<List<PrefillReport.Head>> heads(Prefilled prefilled) {
    return prefilled.reports().stream().map(PrefillReport::heads).toList();
  }

  /** Patterns that say that nothing changes read the same cells. */
  @ParameterizedTest
  @CsvSource({
    "a-shape, sink, 16, local, 70, 128",
    "a-shape, sink, 16, local, 70, 384",
    "block-sparse, blocks, 3, sink-blocks, 1, 128",
    "block-sparse, blocks, 3, sink-blocks, 1, 384"
  })
  void patternsThatDoNotLookAtThePromptsEndReadTheSame(
      String pattern, String first, int a, String second, int b, int chunkTokens) {
    int[] text = prompt(LONG);
    try (LlamaModel one = openInOnePass();
        LlamaModel chunked = open(chunkTokens);
        SparseAttention sparse =
            Attentions.uniform(one.attentionShape(), pattern, Map.of(first, a, second, b));
        KeyValueCache cache = one.newCache(LONG);
        KeyValueCache other = chunked.newCache(LONG)) {
      Prefilled whole = one.prefill(sparse, cache, text, PrefillProgress.SILENT);
      Prefilled parts = chunked.prefill(sparse, other, text, PrefillProgress.SILENT);
      assertThat(whole.reports()).allMatch(report -> report.density() < 0.7);
      assertThat(heads(parts)).isEqualTo(heads(whole));
      assertSame(whole.logits(), parts.logits());
    }
  }

  /** What Vertical-Slash says: its columns and offsets are those of each chunk's end. */
  @Test
  void aPatternThatLooksAtThePromptsEndReadsOtherKeys() {
    int[] text = prompt(LONG);
    try (LlamaModel one = openInOnePass();
        LlamaModel chunked = open(256);
        SparseAttention sparse =
            Attentions.uniform(
                one.attentionShape(),
                "vertical-slash",
                Map.of("verticals", 20, "slashes", 40, "sink", 2, "local", 8));
        KeyValueCache cache = one.newCache(LONG);
        KeyValueCache other = chunked.newCache(LONG)) {
      Prefilled whole = one.prefill(sparse, cache, text, PrefillProgress.SILENT);
      Prefilled parts = chunked.prefill(sparse, other, text, PrefillProgress.SILENT);
      assertThat(heads(parts)).isNotEqualTo(heads(whole));
      assertThat(parts.reports().getFirst().density()).isLessThan(1);
      long causal = (long) LONG * (LONG + 1) / 2;
      assertThat(parts.reports().getFirst().heads())
          .allMatch(head -> head.causalCells() == causal && head.cells() < causal)
          .allMatch(head -> head.pattern().equals("vertical-slash"));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 100, Integer.MAX_VALUE})
  void progressGrowsToOne(int chunkTokens) {
    List<Double> fractions = new ArrayList<>();
    try (LlamaModel model = open(chunkTokens);
        SparseAttention dense = Attentions.dense(model.attentionShape());
        KeyValueCache cache = model.newCache(250)) {
      model.prefill(dense, cache, prompt(250), (_, fraction) -> fractions.add(fraction));
    }
    assertThat(fractions).isSorted().doesNotHaveDuplicates().last().isEqualTo(1.0);
    assertThat(fractions.getFirst()).isPositive();
  }

  @Test
  void aFailureAmidChunksLeavesTheCacheAsItWas() {
    int[] text = prompt(200);
    try (LlamaModel model = open(64);
        SparseAttention dense = Attentions.dense(model.attentionShape());
        KeyValueCache cache = model.newCache(210)) {
      model.prefill(dense, cache, new int[] {1, 2, 3}, PrefillProgress.SILENT);
      assertThatThrownBy(() ->
              model.prefill(
                  dense,
                  cache,
                  text,
                  (_, fraction) -> {
                    if (fraction > 0.5) {
                      throw new IllegalStateException("the listener gives up");
                    }
                  }))
          .hasMessage("the listener gives up");
      assertThat(cache.tokens()).isEqualTo(3);
      assertThat(model.prefill(dense, cache, text, PrefillProgress.SILENT).reports()).hasSize(2);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {50, Integer.MAX_VALUE})
  void anInterruptedReadingEndsAndLeavesTheCacheAsItWas(int chunkTokens) {
    int[] text = prompt(200);
    try (LlamaModel model = open(chunkTokens);
        SparseAttention dense = Attentions.dense(model.attentionShape());
        KeyValueCache cache = model.newCache(200)) {
      InterruptedReading.assertEnds(model, dense, cache, text);
      model.prefill(dense, cache, Arrays.copyOf(text, 60), PrefillProgress.SILENT);
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> model.decode(dense, cache, 1)).hasMessageContaining("interrupted");
      assertThat(Thread.interrupted()).isTrue();
      assertThat(cache.tokens()).isEqualTo(60);
    }
  }

  @Test
  void anAnswerIsTheSameInChunks() {
    int[] text = prompt(150);
    List<List<Integer>> answers = new ArrayList<>();
    for (int chunkTokens : new int[] {LlamaModel.Settings.ONE_PASS, 40}) {
      try (LlamaModel model = open(chunkTokens);
          SparseAttention dense = Attentions.dense(model.attentionShape())) {
        Generator generator = new Generator(model, dense);
        Generation generation =
            generator.generate(text, GenerationOptions.greedy(9), GenerationListener.SILENT);
        assertThat(generation.reports()).hasSize(2);
        Generation first = generator.firstToken(text, Sampling.GREEDY, GenerationListener.SILENT);
        assertThat(first.tokens()).isEqualTo(generation.tokens().subList(0, 1));
        answers.add(generation.tokens());
      }
    }
    assertThat(answers.get(1)).isEqualTo(answers.get(0)).isNotEmpty();
  }

  @Test
  void chunksNeedTheActivationsOfAChunk() {
    int tokens = 2000;
    try (LlamaModel one = openInOnePass();
        LlamaModel chunked = open(128)) {
      MemoryEstimate whole = one.memoryEstimate(tokens, 10);
      MemoryEstimate parts = chunked.memoryEstimate(tokens, 10);
      assertThat(parts.cacheBytes()).isEqualTo(whole.cacheBytes());
      assertThat(parts.activationBytes())
          .isEqualTo(one.memoryEstimate(128, 0).activationBytes())
          .isLessThan(whole.activationBytes() / 4);
      long between = (whole.bytes() + parts.bytes()) / 2;
      assertReads(between, 128, tokens);
      assertThatThrownBy(() -> assertReads(between, LlamaModel.Settings.ONE_PASS, tokens))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("a prompt of 2000 tokens with 10 new ones needs");
    }
  }

  private void assertReads(long memoryBytes, int chunkTokens, int tokens) {
    LlamaModel.Settings settings =
        Attentions.PROCESSOR.withMemoryLimit(memoryBytes).withChunk(chunkTokens);
    try (LlamaModel model = LlamaModel.open(folder, settings);
        SparseAttention dense = Attentions.dense(model.attentionShape())) {
      Generation generation =
          new Generator(model, dense)
              .generate(prompt(tokens), GenerationOptions.greedy(10), GenerationListener.SILENT);
      assertThat(generation.reports()).hasSize(2);
    }
  }

  @Test
  void aChunkHasATokenAtLeast() {
    assertThatThrownBy(() -> LlamaModel.Settings.standard().withChunk(0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("a chunk has 0 tokens; allowed: an integer from 1");
  }
}
