package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCost;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.DeviceMemoryException;
import dev.heddle.kernels.HeadWork;
import dev.heddle.testkit.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How the heads of a layer get to a GPU, on a backend that computes nothing. */
class GpuPrefillTest {
  private static final ModelShape MODEL = new ModelShape(2, 4, 2, 64);

  private final FakeGpu gpu = new FakeGpu();
  private final List<String> notes = new ArrayList<>();

  /**
   * Packed sequences, strides, head numbers: what the host builds is what each sequence alone
   * gives.
   */
  @ParameterizedTest
  @EnumSource(
      value = Layout.class,
      names = {"CONTIGUOUS", "INTERLEAVED"})
  void deviceMemoryIsIndexedOnTheHostWhereAPatternHasNoGpuHalf(Layout layout) {
    List<int[]> lengths = List.of(new int[] {70, 130}, new int[] {1, 1}, new int[] {200, 260});
    PackedBatch batch =
        PackedBatch.random(MODEL, lengths, ElementType.BFLOAT16, layout, new Random(7));
    SparsePattern pattern = PatternRegistry.discover().get("vertical-slash");
    SparsePattern hostOnly = hostOnly(pattern);
    Map<String, Integer> given = Map.of("verticals", 20, "slashes", 30, "local", 5, "sink", 3);
    try (SparseAttention attention =
        facade(
            HeadsConfig.builder(MODEL)
                .defaults("dense", Map.of())
                .assign("1", "1-3", "host-only", given),
            hostOnly)) {
      attention.prefill(1, onDevice(batch), 0);
    }
    List<HeadWork> work = gpu.calls().getFirst();
    Options options = Options.of(pattern.options(), given);
    for (int head = 0; head < 4; head++) {
      for (int sequence = 0; sequence < lengths.size(); sequence++) {
        BlockIndex expected =
            head == 0
                ? BlockIndex.dense(batch.layer(sequence).shape(), BlockShape.DEFAULT)
                : pattern.index(batch.layer(sequence).head(head, BlockShape.DEFAULT), options);
        assertThat(((HeadWork.Indexed) work.get(head)).indices().get(sequence))
            .as("head %d, sequence %d", head, sequence)
            .isEqualTo(expected);
      }
    }
    // Q of head 1, K and V of key/value head 0; then of heads 2 and 3, and 1.
    assertThat(gpu.downloads())
        .containsExactly(List.of(1), List.of(0), List.of(0), List.of(2, 3), List.of(1), List.of(1));
  }

  @Test
  void aShardsHeadsKeepTheirNumbers() {
    List<Integer> asked = new ArrayList<>();
    FakePattern noting =
        FakePattern.building((head, options) -> {
          synchronized (asked) {
            asked.add(head.head());
          }
          return BlockIndex.dense(head.shape(), head.blocks());
        });
    ModelShape shard = new ModelShape(2, 2, 1, 64);
    PackedBatch batch = batch(shard);
    try (SparseAttention attention =
        SparseAttention.builder()
            .heads(HeadsConfig.uniform(MODEL, "faulty", Map.of()))
            .registry(PatternRegistry.builder().add(noting).build())
            .backends(gpu.only())
            .queryHeadOffset(2)
            .denseBelow(0)
            .build()) {
      attention.prefill(0, onDevice(batch), 0);
    }
    assertThat(asked).containsExactlyInAnyOrder(2, 3);
  }

  @Test
  void aGpuHalfWithoutKernelsInThisBuildLeavesTheIndexToTheHost() {
    FakeHalf withoutImage = new FakeHalf("no-image", false, queue -> {}, queue -> {});
    try (SparseAttention attention = facade(uniform("no-image"), withoutImage)) {
      attention.prefill(0, onDevice(batch(MODEL)), 0);
      Tensors64 host = Tensors64.random();
      attention.prefill(0, host.prefill());
    }
    for (List<HeadWork> work : gpu.calls()) {
      assertThat(work).hasSize(4).allMatch(HeadWork.Indexed.class::isInstance);
    }
    assertThat(notes)
        .containsExactly(
            "going on with indices of the host for pattern 'no-image': kernel image 'no-image' is"
                + " not part of this build; build where nvcc is found");
  }

  @Test
  void headsOfAPatternShareOneGpuHalf() {
    FakeHalf half = FakeHalf.during("half", queue -> {}, queue -> {});
    try (SparseAttention attention = facade(uniform("half"), half)) {
      attention.prefill(0, onDevice(batch(MODEL)), 0);
    }
    assertThat(
            gpu.calls().getFirst().stream()
                .map(work -> ((HeadWork.OnDevice) work).kernels())
                .distinct())
        .hasSize(1);
    assertThat(gpu.downloads()).isEmpty();
  }

  @Test
  void aHeadThatDenseAttentionIsFasterForRunsDenseAndSaysWhy() {
    FakeHalf slow = FakeHalf.taking("half", new GpuCost(1e9, 0, 0));
    Tensors64 host = Tensors64.random();
    try (SparseAttention attention = facade(uniform("half"), slow, 1)) {
      PrefillReport report = attention.prefill(0, host.prefill());
      assertThat(gpu.calls().getLast()).allMatch(GpuPrefillTest::isDense);
      assertThat(report.heads())
          .hasSize(4)
          .allMatch(head -> head.pattern().equals("dense"))
          .allMatch(head -> head.note().equals("its index and its cells would take longer"));
      attention.prefill(0, onDevice(batch(MODEL)), 0);
      assertThat(gpu.calls().getLast()).allMatch(GpuPrefillTest::isDense);
      assertThat(attention.scratchBytes(0, onDevice(batch(MODEL)))).isZero();
    }
  }

  @Test
  void patternsRunAsAssignedWhereThatIsAskedFor() {
    FakeHalf slow = FakeHalf.taking("half", new GpuCost(1e9, 0, 0));
    try (SparseAttention attention = facade(uniform("half"), slow, 0)) {
      attention.prefill(0, onDevice(batch(MODEL)), 0);
    }
    assertThat(gpu.calls().getLast()).noneMatch(GpuPrefillTest::isDense);
  }

  @Test
  void aShortPromptRunsDenseAndSaysWhy() {
    FakeHalf half = FakeHalf.taking("half", new GpuCost(0, 0, 0));
    HeadsConfig.Builder heads =
        HeadsConfig.builder(MODEL).defaults("half", Map.of()).assign("0", "1", "dense", Map.of());
    try (SparseAttention attention = facade(heads, half, 1024)) {
      List<PrefillReport.Head> report = attention.prefill(0, Tensors64.random().prefill()).heads();
      assertThat(report)
          .extracting(PrefillReport.Head::note)
          .containsExactly(
              "fewer than 1,024 keys", "", "fewer than 1,024 keys", "fewer than 1,024 keys");
    }
  }

  private static boolean isDense(HeadWork work) {
    return work instanceof HeadWork.Indexed(List<BlockIndex> indices)
        && indices.stream().allMatch(BlockIndex::isDense);
  }

  @Test
  void aFailingGpuHalfIsNamed() {
    IllegalStateException cause = new IllegalStateException("out of ideas");
    FakeHalf index = FakeHalf.during("half", queue -> sneak(cause), queue -> {});
    assertFails(index, "pattern 'half', layer 1, head 0: it failed: " + cause);
    FakeHalf attend = FakeHalf.during("half", queue -> {}, queue -> sneak(new AssertionError(1)));
    assertFails(attend, "pattern 'half', layer 1, head 0: it failed: java.lang.AssertionError: 1");
  }

  @Test
  void aDeviceWithoutMemoryIsNotThePatternsFault() {
    FakeHalf half =
        FakeHalf.during(
            "half",
            queue -> sneak(new DeviceMemoryException("a part", 2 << 20, 1 << 20)),
            queue -> {});
    try (SparseAttention attention = facade(uniform("half"), half)) {
      assertThatThrownBy(() -> attention.prefill(1, onDevice(batch(MODEL)), 0))
          .isInstanceOf(DeviceMemoryException.class)
          .hasMessage(
              "a part needs 2 MiB of device memory, but 1 MiB are free; use fewer tokens or heads"
                  + " per call, or free device memory");
    }
  }

  @Test
  void anInvalidIndexIsRefusedBeforeAnythingRuns() {
    FakePattern invalid =
        FakePattern.building((head, options) ->
            BlockIndex.of(head.shape(), head.blocks(), new int[][] {{64, 0}}, new int[1][0]));
    try (SparseAttention attention = facade(uniform("faulty"), invalid)) {
      assertThatThrownBy(() -> attention.prefill(1, onDevice(batch(MODEL)), 0))
          .isInstanceOf(PatternFailedException.class)
          .hasMessageStartingWith("pattern 'faulty', layer 1, head 0: invalid index: row 0: ");
    }
    assertThat(gpu.calls()).isEmpty();
  }

  @Test
  void backendsOnTheProcessorRefuseDeviceMemory() {
    try (SparseAttention attention =
        SparseAttention.builder()
            .heads(HeadsConfig.uniform(MODEL, "dense", Map.of()))
            .backends(Backends.standard())
            .backend("vector")
            .build()) {
      assertThatThrownBy(() -> attention.prefill(0, onDevice(batch(MODEL)), 0))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("backend 'vector' cannot read device memory; allowed: cuda");
    }
  }

  private void assertFails(FakeHalf half, String message) {
    try (SparseAttention attention = facade(uniform("half"), half)) {
      assertThatThrownBy(() -> attention.prefill(1, onDevice(batch(MODEL)), 0))
          .isInstanceOf(PatternFailedException.class)
          .hasMessage(message);
    }
  }

  private static void sneak(RuntimeException failure) {
    throw failure;
  }

  private static void sneak(Error failure) {
    throw failure;
  }

  private SparseAttention facade(HeadsConfig.Builder heads, SparsePattern pattern) {
    return facade(heads, pattern, 0);
  }

  private SparseAttention facade(HeadsConfig.Builder heads, SparsePattern pattern, int denseBelow) {
    return SparseAttention.builder()
        .heads(heads.build())
        .registry(PatternRegistry.builder().add(pattern).build())
        .backends(gpu.only())
        .denseBelow(denseBelow)
        .onNote(notes::add)
        .build();
  }

  private static HeadsConfig.Builder uniform(String pattern) {
    return HeadsConfig.builder(MODEL).defaults(pattern, Map.of());
  }

  private static FakePattern hostOnly(SparsePattern pattern) {
    return new FakePattern("host-only", pattern.options(), pattern::index);
  }

  private static PackedBatch batch(ModelShape model) {
    return PackedBatch.random(
        model, List.of(new int[] {70, 100}), ElementType.FLOAT16, Layout.CONTIGUOUS, new Random(1));
  }

  private static GpuLayer onDevice(PackedBatch batch) {
    return new GpuLayer(
        onDevice(batch.queries()),
        onDevice(batch.keys()),
        onDevice(batch.values()),
        onDevice(batch.out()),
        0,
        batch.softmaxScale(),
        BlockShape.DEFAULT,
        batch.sequences());
  }

  private static GpuTensor onDevice(HeadTensor host) {
    return new GpuTensor(
        host.memory().address(),
        host.type(),
        host.heads(),
        host.tokens(),
        host.headDim(),
        host.headStride(),
        host.tokenStride());
  }

  /** Host memory of the same model. */
  private record Tensors64(HeadTensor q, HeadTensor k, HeadTensor out) {
    static Tensors64 random() {
      PackedBatch batch = batch(MODEL);
      return new Tensors64(batch.layer(0).queries(), batch.layer(0).keys(), batch.out(0));
    }

    Prefill prefill() {
      return Prefill.of(q, k, k, out);
    }
  }
}
