package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Options;
import dev.heddle.kernels.BackendUnavailableException;
import dev.heddle.kernels.Backends;
import dev.heddle.runtime.Tensors.Sizes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the façade refuses, when, and in which words. */
class SparseAttentionFailureTest {
  private static final ModelShape SHAPE = new ModelShape(4, 4, 2, Sizes.HEAD_DIM);

  static Stream<Arguments> faultyPatterns() {
    return Stream.of(
        faulty(
            "throws",
            "it failed: java.lang.IllegalStateException: out of ideas",
            (head, options) -> {
              throw new IllegalStateException("out of ideas");
            }),
        faulty(
            "fails an assertion",
            "it failed: java.lang.AssertionError: never",
            (head, options) -> {
              throw new AssertionError("never");
            }),
        faulty("recurses", "it failed: java.lang.StackOverflowError", (head, o) -> recurse(head)),
        faulty("gives nothing", "it gave no index (null)", (head, options) -> nothing()),
        faulty(
            "another prompt's index",
            "it gave an index for AttentionShape[queryHeads=4, keyValueHeads=2, queryTokens=64,"
                + " keyTokens=64, headDim=32] instead of AttentionShape[queryHeads=4,"
                + " keyValueHeads=2, queryTokens=65, keyTokens=65, headDim=32]",
            (head, options) ->
                BlockIndex.dense(new AttentionShape(4, 2, 64, 64, Sizes.HEAD_DIM), head.blocks())),
        faulty(
            "another tile",
            "it gave an index in BlockShape[queryRows=1, keyColumns=1] instead of"
                + " BlockShape[queryRows=32, keyColumns=16]",
            (head, options) -> BlockIndex.dense(head.shape(), new BlockShape(1, 1))));
  }

  private static Arguments faulty(
      String name, String problem, BiFunction<HeadInputs, Options, BlockIndex> indexBuilder) {
    return arguments(name, problem, FakePattern.building(indexBuilder));
  }

  @SuppressWarnings("InfiniteRecursion") // the stack overflow is what is tested
  private static BlockIndex recurse(HeadInputs head) {
    return recurse(head);
  }

  @SuppressWarnings("NullAway") // as foreign code without null checks would
  private static BlockIndex nothing() {
    return null;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faultyPatterns")
  void aFaultyPatternIsNamedWithLayerAndHead(String name, String problem, FakePattern pattern) {
    RecordingBackend backend = new RecordingBackend();
    Tensors tensors = Tensors.random(4, 2, 65);

    try (SparseAttention attention = faulty(pattern).backends(backend.only()).build()) {
      PatternFailedException failure =
          catchThrowableOfType(
              PatternFailedException.class, () -> attention.prefill(3, tensors.prefill()));

      assertThat(failure).as(name).hasMessage("pattern 'faulty', layer 3, head 2: " + problem);
      assertThat(failure.pattern()).isEqualTo("faulty");
      assertThat(failure.layer()).isEqualTo(3);
      assertThat(failure.head()).isEqualTo(2);
      assertThat(failure.row()).isEmpty();
      assertThatThrownBy(() -> attention.indices(3, tensors.prefill()))
          .isInstanceOf(PatternFailedException.class);
    }
    assertThat(backend.calls()).as("kernels that ran").isZero();
  }

  @Test
  void anInvalidIndexIsNamedWithItsRow() {
    FakePattern pattern =
        FakePattern.building((head, options) ->
            BlockIndex.of(
                head.shape(), head.blocks(), new int[][] {{0}, {16, 0}, {0}}, new int[3][0]));
    RecordingBackend backend = new RecordingBackend();
    Tensors tensors = Tensors.random(4, 2, 65);

    try (SparseAttention attention = faulty(pattern).backends(backend.only()).build()) {
      PatternFailedException failure =
          catchThrowableOfType(
              PatternFailedException.class, () -> attention.prefill(1, tensors.prefill()));

      assertThat(failure)
          .hasMessage(
              "pattern 'faulty', layer 1, head 2: invalid index:"
                  + " row 1: block 0 follows block 16: not sorted, or a key twice");
      assertThat(failure.row()).isEqualTo(OptionalInt.of(1));
    }
    assertThat(backend.calls()).as("kernels that ran").isZero();
  }

  @Test
  void theFirstFaultyHeadIsNamedWhicheverFailsFirst() {
    FakePattern pattern =
        FakePattern.building((head, options) -> {
          throw new IllegalStateException("head " + head.head());
        });
    HeadsConfig config = HeadsConfig.uniform(SHAPE, "faulty", Map.of());
    Tensors tensors = Tensors.random(4, 2, 65);

    try (SparseAttention attention = builder(pattern).heads(config).threads(4).build()) {
      for (int i = 0; i < 20; i++) {
        assertThatThrownBy(() -> attention.prefill(0, tensors.prefill()))
            .hasMessageStartingWith("pattern 'faulty', layer 0, head 0: ");
      }
    }
  }

  @Test
  void aShardNamesTheHeadOfTheModel() {
    FakePattern pattern =
        FakePattern.building(
            (head, options) -> BlockIndex.dense(head.shape(), new BlockShape(1, 1)));
    Tensors tensors = Tensors.random(2, 1, 65);

    try (SparseAttention attention = faulty(pattern).queryHeadOffset(2).build()) {
      assertThatThrownBy(() -> attention.prefill(0, tensors.prefill()))
          .hasMessageStartingWith("pattern 'faulty', layer 0, head 2: ");
    }
  }

  static Stream<Arguments> badCalls() {
    Prefill good = Tensors.random(4, 2, 65).prefill();
    Sizes chunk = new Sizes(4, 2, 66, 65, ElementType.FLOAT32);
    return Stream.of(
        arguments("layer -1", -1, good, "layer is -1; allowed: 0 to 3"),
        arguments("layer 4", 4, good, "layer is 4; allowed: 0 to 3"),
        arguments(
            "query heads",
            0,
            Tensors.random(2, 2, 65).prefill(),
            "the call has 2 query heads and 2 key/value heads; allowed: the model's 4 and 2,"
                + " or those of a shard after queryHeadOffset(…)"),
        arguments("key/value heads", 0, Tensors.random(4, 4, 65).prefill(), "4 key/value heads;"),
        arguments(
            "head dim",
            0,
            Prefill.of(ofDim(4, 16), ofDim(2, 16), ofDim(2, 16), ofDim(4, 16)),
            "queries have a head dim of 16; allowed: the model's, 32"),
        arguments(
            "keys of another head dim",
            0,
            Prefill.of(good.queries(), ofDim(2, 16), good.values(), good.out()),
            "keys are 2 heads x 65 tokens x 16 numbers, but the shape says 2 x 65 x 32"),
        arguments(
            "values of another length",
            0,
            Prefill.of(good.queries(), good.keys(), Tensors.random(2, 2, 64).v(), good.out()),
            "values are 2 heads x 64 tokens x 32 numbers, but the shape says 2 x 65 x 32"),
        arguments(
            "more queries than keys",
            0,
            Tensors.random(chunk, 1).prefill(),
            "queryTokens (66) must be at most keyTokens (65)"),
        arguments(
            "scale",
            0,
            good.withSoftmaxScale(Float.NaN),
            "softmaxScale is NaN; allowed: a finite number"),
        arguments(
            "short log-sum-exp",
            0,
            good.withLogSumExp(MemorySegment.ofArray(new float[259])),
            "logSumExp holds 1036 bytes, but 260 float32 values are written"),
        arguments(
            "read-only memory",
            0,
            good.withLogSumExp(MemorySegment.ofArray(new float[260]).asReadOnly()),
            "the memory of logSumExp is read-only"),
        arguments("freed memory", 0, good.withLogSumExp(freed()), "of logSumExp has been freed"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badCalls")
  void aBadCallIsRefusedBeforeAnythingRuns(
      String name, int layer, Prefill prefill, String problem) {
    RecordingBackend backend = new RecordingBackend();
    FakePattern pattern = FakePattern.named("faulty");

    try (SparseAttention attention = faulty(pattern).backends(backend.only()).build()) {
      assertThatThrownBy(() -> attention.prefill(layer, prefill))
          .as(name)
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining(problem);
      assertThatThrownBy(() -> attention.decode(layer, prefill)).hasMessageContaining(problem);
      assertThatThrownBy(() -> attention.indices(layer, prefill)).hasMessageContaining(problem);
    }
    assertThat(backend.calls()).isZero();
  }

  @Test
  void memoryOfOneThreadIsRefused() {
    Prefill prefill = Tensors.random(4, 2, 65).prefill();

    try (Arena arena = Arena.ofConfined();
        SparseAttention attention = faulty(FakePattern.named("faulty")).build()) {
      assertThatThrownBy(() -> attention.prefill(0, prefill.withLogSumExp(arena.allocate(1040))))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageStartingWith(
              "the memory of logSumExp is confined to one thread; allowed: memory of a shared");
    }
  }

  static Stream<Arguments> badShards() {
    return Stream.of(
        arguments(2, 4, 2, "the shard's query heads are 2 to 5; allowed: 0 to 3"),
        arguments(
            2,
            2,
            2,
            "the shard has 2 key/value heads, but its query heads 2 to 3 read 1 to 1; allowed: 1"),
        arguments(
            1,
            2,
            2,
            "the shard's query heads 1 to 2 cut a group in two;"
                + " allowed: whole groups of 2, or heads of one group"));
  }

  @ParameterizedTest
  @MethodSource("badShards")
  void aShardMustReadTheKeyValueHeadsOfTheModel(
      int first, int queryHeads, int keyValueHeads, String problem) {
    Tensors tensors = Tensors.random(queryHeads, keyValueHeads, 65);

    try (SparseAttention attention =
        faulty(FakePattern.named("faulty")).queryHeadOffset(first).build()) {
      assertThatThrownBy(() -> attention.prefill(0, tensors.prefill()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage(problem);
    }
  }

  static Stream<Arguments> badSettings() {
    HeadsConfig dense = HeadsConfig.uniform(SHAPE, "dense", Map.of());
    return Stream.of(
        arguments(SparseAttention.builder(), "no heads are given; call heads(…) before build()"),
        arguments(dense(dense).threads(0), "threads is 0; allowed: an integer from 1"),
        arguments(dense(dense).denseBelow(-1), "denseBelow is -1; allowed: an integer from 0"),
        arguments(dense(dense).queryHeadOffset(4), "queryHeadOffset is 4; allowed: 0 to 3"),
        arguments(dense(dense).queryHeadOffset(-1), "queryHeadOffset is -1; allowed: 0 to 3"),
        arguments(dense(dense).backend("tpu"), "no backend is called 'tpu'; allowed: auto, "));
  }

  @ParameterizedTest
  @MethodSource("badSettings")
  void badSettingsAreRefusedWhenBuilding(SparseAttention.Builder builder, String problem) {
    assertThatThrownBy(builder::build)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(problem);
  }

  @Test
  void aBackendThatCannotRunIsAnErrorWithItsReason() {
    RecordingBackend backend = new RecordingBackend("there is no such chip", "buy one");

    assertThatThrownBy(() -> faulty(FakePattern.named("faulty")).backends(backend.only()).build())
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll("there is no such chip", "buy one");
  }

  @Test
  void anUnknownPatternLeavesNoBackendOpen() {
    RecordingBackend backend = new RecordingBackend();
    SparseAttention.Builder builder =
        SparseAttention.builder()
            .registry(PatternRegistry.builder().build())
            .backends(backend.only())
            .heads(HeadsConfig.uniform(SHAPE, "a-shape", Map.of()));

    assertThatThrownBy(builder::build)
        .isInstanceOf(HeadsFileException.class)
        .hasMessageContaining("defaults.pattern: no pattern is called \"a-shape\"");
    assertThat(backend.opened()).isZero();
  }

  /** Heads 0, 1 and 3 dense, head 2 with {@code pattern}. */
  private static SparseAttention.Builder faulty(FakePattern pattern) {
    return builder(pattern)
        .heads(
            HeadsConfig.builder(SHAPE)
                .defaults("dense", Map.of())
                .assign("0-3", "2", pattern.name(), Map.of())
                .build());
  }

  private static SparseAttention.Builder builder(FakePattern pattern) {
    return dense(HeadsConfig.uniform(SHAPE, "dense", Map.of()))
        .registry(PatternRegistry.builder().add(pattern).build())
        .blocks(new BlockShape(32, 16))
        .denseBelow(0);
  }

  private static SparseAttention.Builder dense(HeadsConfig config) {
    return SparseAttention.builder()
        .registry(PatternRegistry.builder().build())
        .heads(config)
        .backends(Backends.standard())
        .backend(Backends.AUTO);
  }

  private static HeadTensor ofDim(int heads, int headDim) {
    float[] numbers = new float[heads * 65 * headDim];
    return HeadTensor.contiguous(
        MemorySegment.ofArray(numbers), ElementType.FLOAT32, heads, 65, headDim);
  }

  private static MemorySegment freed() {
    try (Arena arena = Arena.ofShared()) {
      return arena.allocate(ValueLayout.JAVA_FLOAT, 260);
    }
  }
}
