package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.runtime.Tensors.Sizes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The façade on the reference backend. Even heads read the keys below 3, odd heads those below 7,
 * the last head everything; so a head that got another's pattern, or another's keys, shows.
 */
class SparseAttentionTest {
  private static final int LAYERS = 3;
  private static final int ODD_KEYS = 7;
  private static final int EVEN_KEYS = 3;
  private static final PatternRegistry REGISTRY =
      PatternRegistry.builder().add(FakePattern.firstKeys()).build();

  static Stream<Sizes> sizes() {
    Stream<Sizes> groups =
        Stream.of(1, 4, 8).map(group -> new Sizes(8, 8 / group, 113, 113, ElementType.FLOAT32));
    Stream<Sizes> chunks =
        Stream.of(1, 63, 64, 65, 127)
            .map(chunk -> new Sizes(4, 2, chunk, 127, ElementType.FLOAT32));
    Stream<Sizes> types =
        Stream.of(ElementType.values()).map(type -> new Sizes(4, 1, 65, 127, type));
    Stream<Sizes> tiny = Stream.of(new Sizes(2, 1, 1, 1, ElementType.FLOAT32));
    return Stream.of(groups, chunks, types, tiny).flatMap(stream -> stream);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void eachHeadReadsWhatItsPatternSays(Sizes sizes) {
    long seed = sizes.hashCode();
    Tensors tensors = Tensors.random(sizes, seed);
    int heads = sizes.queryHeads();

    try (SparseAttention attention =
        attention(heads, sizes.keyValueHeads()).blocks(new BlockShape(32, 16)).build()) {
      attention.prefill(1, tensors.q(), tensors.k(), tensors.v(), tensors.out());
    }

    for (int head = 0; head < heads; head++) {
      assertHead(tensors, head, keys(head, heads), "seed " + seed);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 4, 6})
  void aShardUsesItsHeadsOfTheModel(int firstHead) {
    int shardHeads = firstHead == 0 ? 4 : 2;
    Tensors tensors =
        Tensors.random(new Sizes(shardHeads, shardHeads / 2, 65, 65, ElementType.FLOAT32), 5);

    try (SparseAttention attention = attention(8, 4).queryHeadOffset(firstHead).build()) {
      attention.prefill(0, tensors.prefill());
    }

    for (int head = 0; head < shardHeads; head++) {
      assertHead(tensors, head, keys(firstHead + head, 8), "shard from " + firstHead);
    }
  }

  @Test
  void aShardMayHoldHeadsOfOneGroup() {
    Tensors tensors = Tensors.random(2, 1, 65);

    try (SparseAttention attention = attention(8, 2).queryHeadOffset(5).build()) {
      attention.prefill(0, tensors.prefill());
    }

    assertHead(tensors, 0, keys(5, 8), "head 5");
    assertHead(tensors, 1, keys(6, 8), "head 6");
  }

  @Test
  void layersHaveTheirOwnPatterns() {
    HeadsConfig config =
        HeadsConfig.builder(new ModelShape(2, 2, 1, Sizes.HEAD_DIM))
            .assign("0", "0-1", "first-keys", Map.of("keys", 2))
            .assign("1", "0-1", "first-keys", Map.of("keys", 9))
            .build();
    Tensors tensors = Tensors.random(2, 1, 63);

    try (SparseAttention attention = reference(config).build()) {
      attention.prefill(0, tensors.prefill());
      assertHead(tensors, 1, 2, "layer 0");
      attention.prefill(1, tensors.prefill());
      assertHead(tensors, 1, 9, "layer 1");
    }
  }

  @Test
  void theReportCountsTheCellsOfEachHead() {
    Tensors tensors = Tensors.random(4, 2, 113);

    try (SparseAttention attention = attention(4, 2).build()) {
      PrefillReport report = attention.prefill(2, tensors.prefill());

      long causal = 113L * 114 / 2;
      long even = 1 + 2 + 3L * 111; // the first two queries see fewer than 3 keys
      long odd = 1 + 2 + 3 + 4 + 5 + 6 + 7L * 107;
      assertThat(report.layer()).isEqualTo(2);
      assertThat(report.heads())
          .containsExactly(
              new PrefillReport.Head("first-keys", even, causal),
              new PrefillReport.Head("first-keys", odd, causal),
              new PrefillReport.Head("first-keys", even, causal),
              new PrefillReport.Head("dense", causal, causal));
      assertThat(report.density())
          .isCloseTo((2.0 * even + odd + causal) / (4.0 * causal), within(1e-12));
      assertThat(report.indexNanos()).isPositive();
      assertThat(report.attentionNanos()).isPositive();
    }
  }

  @Test
  void shortPromptsRunDense() {
    try (SparseAttention attention = attention(2, 1).denseBelow(64).build()) {
      Tensors below = Tensors.random(2, 1, 63);
      PrefillReport report = attention.prefill(0, below.prefill());
      assertThat(report.heads()).extracting(PrefillReport.Head::pattern).containsOnly("dense");
      assertThat(report.density()).isEqualTo(1);
      assertHead(below, 0, Integer.MAX_VALUE, "63 keys");

      Tensors atTheBound = Tensors.random(2, 1, 64);
      assertThat(attention.prefill(0, atTheBound.prefill()).density()).isLessThan(1);
      assertHead(atTheBound, 0, EVEN_KEYS, "64 keys");
    }
  }

  @Test
  void theBoundCountsKeysAndNotQueries() {
    Sizes lastChunk = new Sizes(2, 1, 1, 64, ElementType.FLOAT32);

    try (SparseAttention attention = attention(2, 1).denseBelow(64).build()) {
      assertThat(attention.prefill(0, Tensors.random(lastChunk, 1).prefill()).density())
          .isLessThan(1);
    }
  }

  @Test
  void anIndexOfNearlyAllCellsRunsDense() {
    HeadsConfig config =
        HeadsConfig.uniform(
            new ModelShape(1, 1, 1, Sizes.HEAD_DIM), "first-keys", Map.of("keys", 60));
    Tensors tensors = Tensors.random(1, 1, 63);

    try (SparseAttention attention = reference(config).denseBelow(1).build()) {
      PrefillReport report = attention.prefill(0, tensors.prefill());

      assertThat(report.heads()).extracting(PrefillReport.Head::pattern).containsOnly("dense");
      assertThat(attention.indices(0, tensors.prefill())).allMatch(BlockIndex::isDense);
      assertHead(tensors, 0, Integer.MAX_VALUE, "60 of 63 keys");
    }
  }

  @Test
  void withoutABoundEveryPatternRunsAsAssigned() {
    HeadsConfig config =
        HeadsConfig.uniform(
            new ModelShape(1, 1, 1, Sizes.HEAD_DIM), "first-keys", Map.of("keys", 60));
    Tensors tensors = Tensors.random(1, 1, 63);

    try (SparseAttention attention = reference(config).denseBelow(0).build()) {
      PrefillReport report = attention.prefill(0, tensors.prefill());

      assertThat(report.heads()).extracting(PrefillReport.Head::pattern).containsOnly("first-keys");
      assertHead(tensors, 0, 60, "60 of 63 keys, as assigned");
    }
  }

  @Test
  void decodingReadsEveryKey() {
    Tensors tensors = Tensors.random(new Sizes(2, 1, 1, 65, ElementType.FLOAT32), 3);

    try (SparseAttention attention = attention(2, 1).build()) {
      attention.decode(0, tensors.prefill());
    }

    assertHead(tensors, 0, Integer.MAX_VALUE, "decoding");
  }

  @Test
  void theIndicesAreThoseOfTheCallAndNothingIsWritten() {
    Tensors tensors = Tensors.random(3, 1, 65);

    try (SparseAttention attention = attention(3, 1).blocks(new BlockShape(16, 8)).build()) {
      List<BlockIndex> indices = attention.indices(0, tensors.prefill());

      assertThat(indices).hasSize(3);
      assertThat(indices.get(0).columnCount(1)).isEqualTo(EVEN_KEYS);
      assertThat(indices.get(1).columnCount(1)).isEqualTo(ODD_KEYS);
      assertThat(indices.get(2).isDense()).isTrue();
      assertThat(indices).allMatch(index -> index.blocks().equals(new BlockShape(16, 8)));
    }
    assertThat(tensors.out().memory().toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
  }

  @Test
  void logSumExpAndScaleReachTheBackend() {
    Tensors tensors = Tensors.random(2, 1, 65);
    MemorySegment logSumExp = Arena.ofAuto().allocate(2L * 65 * Float.BYTES, 4);

    try (SparseAttention attention = attention(2, 1).build()) {
      attention.prefill(0, tensors.prefill().withLogSumExp(logSumExp).withSoftmaxScale(0));
    }

    // With all scores 0 the sum of exponentials is the number of keys read.
    float first = logSumExp.getAtIndex(ValueLayout.JAVA_FLOAT, 0);
    float last = logSumExp.getAtIndex(ValueLayout.JAVA_FLOAT, 64);
    assertThat(first).isEqualTo(0);
    assertThat(last).isEqualTo((float) Math.log(EVEN_KEYS));
  }

  @Test
  void aNanReachesTheQueriesThatReadItAndNoOthers() {
    Tensors tensors = Tensors.random(2, 2, 65);
    HeadMatrix secondQueries = tensors.q().head(1);
    secondQueries.type().store(secondQueries.memory(), secondQueries.rowOffset(10), Float.NaN);
    HeadMatrix firstKeys = tensors.k().head(0);
    firstKeys.type().store(firstKeys.memory(), firstKeys.rowOffset(2), Float.NaN);

    try (SparseAttention attention = attention(2, 2).build()) {
      attention.prefill(0, tensors.prefill());
    }

    for (int query = 0; query < 65; query++) {
      assertThat(Float.isNaN(tensors.out().head(0).get(query, 0))).isEqualTo(query >= 2);
      assertThat(Float.isNaN(tensors.out().head(1).get(query, 0))).isEqualTo(query == 10);
    }
  }

  @Test
  void everyBuiltInPatternRunsThroughTheFacade() {
    HeadsConfig config =
        HeadsConfig.builder(new ModelShape(1, 4, 2, Sizes.HEAD_DIM))
            .assign("0", "0", "a-shape", Map.of("sink", 8, "local", 64))
            .assign("0", "1", "vertical-slash", Map.of("verticals", 32, "slashes", 16, "local", 16))
            .assign("0", "2", "block-sparse", Map.of("blocks", 3))
            .assign("0", "3", "dense", Map.of())
            .build();
    Tensors tensors = Tensors.random(4, 2, 1023);

    try (SparseAttention attention =
        SparseAttention.builder().heads(config).denseBelow(0).build()) {
      PrefillReport report = attention.prefill(0, tensors.prefill());
      List<BlockIndex> indices = attention.indices(0, tensors.prefill());

      assertThat(report.heads())
          .extracting(PrefillReport.Head::pattern)
          .containsExactly("a-shape", "vertical-slash", "block-sparse", "dense");
      assertThat(report.heads())
          .extracting(PrefillReport.Head::cells)
          .containsExactlyElementsOf(indices.stream().map(BlockIndex::cells).toList());
      assertThat(report.density()).isBetween(0.25, 0.99);
    }
  }

  @Test
  void codeAndFileComputeTheSame() {
    HeadsConfig inCode = config(4, 2);
    HeadsConfig fromText = HeadsConfig.parse(inCode.toJson(), "heads.json");
    Tensors tensors = Tensors.random(4, 2, 113);

    byte[] first = run(inCode, tensors);
    byte[] second = run(fromText, tensors);

    assertThat(first).isEqualTo(second);
  }

  private static byte[] run(HeadsConfig config, Tensors tensors) {
    tensors.out().memory().fill((byte) 0);
    try (SparseAttention attention =
        SparseAttention.builder().registry(REGISTRY).heads(config).denseBelow(0).build()) {
      attention.prefill(0, tensors.prefill());
    }
    return tensors.out().memory().toArray(ValueLayout.JAVA_BYTE);
  }

  private static SparseAttention.Builder attention(int queryHeads, int keyValueHeads) {
    return reference(config(queryHeads, keyValueHeads));
  }

  private static SparseAttention.Builder reference(HeadsConfig config) {
    return SparseAttention.builder()
        .registry(REGISTRY)
        .heads(config)
        .backend("reference")
        .threads(2)
        .denseBelow(0);
  }

  private static HeadsConfig config(int queryHeads, int keyValueHeads) {
    ModelShape shape = new ModelShape(LAYERS, queryHeads, keyValueHeads, Sizes.HEAD_DIM);
    HeadsConfig.Builder builder =
        HeadsConfig.builder(shape).defaults("first-keys", Map.of("keys", EVEN_KEYS));
    for (int head = 1; head < queryHeads - 1; head += 2) {
      builder.assign("0-2", String.valueOf(head), "first-keys", Map.of("keys", ODD_KEYS));
    }
    if (queryHeads > 2) {
      builder.assign("0-2", String.valueOf(queryHeads - 1), "dense", Map.of());
    }
    return builder.build();
  }

  /** Keys that a head of {@link #config} reads. */
  private static int keys(int head, int heads) {
    if (heads > 2 && head == heads - 1) {
      return Integer.MAX_VALUE;
    }
    return head % 2 == 1 && head < heads - 1 ? ODD_KEYS : EVEN_KEYS;
  }

  private static void assertHead(Tensors tensors, int head, int keys, String description) {
    Oracle oracle = new Oracle(tensors, head, keys);
    for (int query = 0; query < tensors.q().tokens(); query++) {
      double[] expected = oracle.row(query);
      String place = description + ", head " + head + ", query " + query;
      for (int dim = 0; dim < expected.length; dim++) {
        assertThat((double) tensors.out().head(head).get(query, dim))
            .as(place)
            .isCloseTo(expected[dim], within(roundingOf(tensors.out().type(), expected[dim])));
      }
    }
  }

  /**
   * Float64 is rounded to float32 and that to the element type: two halves of a unit in the last
   * place.
   */
  private static double roundingOf(ElementType type, double value) {
    int fractionBits =
        switch (type) {
          case FLOAT32 -> 23;
          case FLOAT16 -> 10;
          case BFLOAT16 -> 7;
        };
    double unit = Math.scalb(1.0, Math.max(Math.getExponent(value), -14) - fractionBits);
    return unit / 2 * (1 + 0x1p-10);
  }
}
