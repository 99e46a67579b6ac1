package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.DeviceException;
import dev.heddle.kernels.DeviceMemoryException;
import dev.heddle.runtime.PlanCheck.Computed;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever goes wrong on a GPU: a clear error or right work, and the next call works. */
class GpuFaultTest extends GpuRuntimeTest {
  private static final ModelShape MODEL = new ModelShape(2, 4, 2, 64);
  private CallerDevice device;

  @BeforeEach
  void openDevice() {
    device = new CallerDevice(64 << 20);
  }

  @AfterEach
  void closeDevice() {
    device.close();
  }

  @Test
  void anInvalidIndexOfAPluginIsRefused() {
    FakePattern invalid =
        FakePattern.building((head, options) ->
            BlockIndex.of(
                head.shape(), head.blocks(), new int[][] {{0}, {64, 0}}, new int[][] {{}, {}}));
    assertRefused(
        invalid,
        PatternFailedException.class,
        "pattern 'faulty', layer 1, head 0: invalid index: row 1");
  }

  @Test
  void aGpuHalfThatThrowsIsNamed() {
    Consumer<GpuQueue> throwing =
        queue -> {
          queue.allocate(1 << 20);
          throw new IllegalStateException("out of ideas");
        };
    assertRefused(
        FakeHalf.during("index-throws", throwing, GpuFaultTest::nothing),
        PatternFailedException.class,
        "pattern 'index-throws', layer 1, head 0: it failed: java.lang.IllegalStateException: out of");
    assertRefused(
        FakeHalf.during("attend-throws", GpuFaultTest::nothing, throwing),
        PatternFailedException.class,
        "pattern 'attend-throws', layer 1, head 0: it failed: java.lang.IllegalStateException: out");
  }

  @Test
  void aGpuHalfWithADamagedImageIsRefused() {
    FakeHalf damaged =
        FakeHalf.during(
            "damaged",
            queue ->
                queue.launch(
                    FakeHalf.during("damaged", GpuFaultTest::nothing, GpuFaultTest::nothing)
                        .source(),
                    "kernel",
                    KernelGrid.of(1, 1, 1, 1),
                    new KernelParameters(8)),
            GpuFaultTest::nothing);
    assertRefused(damaged, DeviceException.class, "kernel image 'damaged' is corrupted");
  }

  @Test
  void memoryThatOthersTakeInTheMiddleOfAPlanIsAnError() {
    long[] others = new long[1];
    FakeHalf greedy =
        FakeHalf.during(
            "greedy",
            queue -> {
              // Between the estimate and the use of memory, somebody else takes what there is.
              others[0] = device.allocate(device.freeBytes() - (512 << 20));
              try {
                queue.allocate(8L << 30);
              } finally {
                device.free(others[0]);
              }
            },
            GpuFaultTest::nothing);
    assertRefused(
        greedy, DeviceMemoryException.class, "a part of the call needs 8,192 MiB of device memory");
  }

  @Test
  void aPlanThatDoesNotFitIsRefusedBeforeItStarts() {
    long others = device.allocate(device.freeBytes() - (700 << 20));
    try (SparseAttention attention = facade(FakePattern.firstKeys())) {
      int tokens = 1 << 20;
      MemorySegment memory = MemorySegment.ofArray(new float[tokens * 64]);
      HeadTensor q = new HeadTensor(memory, ElementType.FLOAT32, 4, tokens, 64, 0, 64);
      HeadTensor k = new HeadTensor(memory, ElementType.FLOAT32, 2, tokens, 64, 0, 64);
      assertThatThrownBy(() -> attention.prefill(0, q, k, k, q))
          .isInstanceOf(DeviceMemoryException.class)
          // Q and the output of 1 GiB, K and V of half, and some tables.
          .hasMessageContaining("attention over 1,048,576 keys with 4 query heads needs 3,073 MiB")
          .hasMessageContaining(" MiB are free; use fewer tokens or heads per call");
    } finally {
      device.free(others);
    }
    assertFacadeWorks();
  }

  @Test
  void closingWhileWorkIsQueuedWaitsForIt() {
    Random random = new Random(3);
    ModelShape model = new ModelShape(1, 8, 2, 128);
    SparseAttention attention = RandomAttention.create(model, "cuda", random);
    PackedBatch batch =
        PackedBatch.random(
            model,
            List.of(new int[] {2000, 9000}),
            ElementType.BFLOAT16,
            Layout.CONTIGUOUS,
            random);
    try (CallerDevice large = new CallerDevice(256 << 20)) {
      // Closed between the queued attention and the wait for it.
      batch.run(attention, 0, large, attention::close);
    }
    Computed computed = new Computed(batch.layer(0), batch.out(0), batch.logSumExp(0));
    new PlanCheck(attention.plan(), gpu, 12).assertRight("closed early", 0, computed, 1);
    TestLayer layer = layer(0);
    assertThatThrownBy(() ->
            attention.prefill(0, layer.queries(), layer.keys(), layer.values(), layer.queries()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this SparseAttention has been closed");
    attention.close();
  }

  @Test
  void threadsShareAFacade() throws Exception {
    try (SparseAttention attention = RandomAttention.create(MODEL, "cuda", new Random(11));
        ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Callable<Boolean>> calls =
          IntStream.range(0, 40)
              .<Callable<Boolean>>mapToObj(i -> () -> assertPrefillRight(attention, i))
              .toList();
      for (Future<Boolean> done : threads.invokeAll(calls)) {
        assertThat(done.get()).isTrue();
      }
    }
  }

  /** Refused on host memory and on device memory; then other heads of the same façade work. */
  private void assertRefused(
      SparsePattern pattern, Class<? extends Throwable> type, String message) {
    try (SparseAttention attention = facade(pattern)) {
      for (int round = 0; round < 3; round++) {
        TestLayer layer = layer(round);
        HeadTensor out = out();
        assertThatThrownBy(
                () -> attention.prefill(1, layer.queries(), layer.keys(), layer.values(), out))
            .isInstanceOf(type)
            .hasMessageContaining(message);
        assertPrefillRight(attention, round);
        PackedBatch batch = batch(round);
        assertThatThrownBy(() -> batch.run(attention, 1, device))
            .isInstanceOf(type)
            .hasMessageContaining(message);
        PackedBatch next = batch(round);
        next.run(attention, 0, device);
        Computed computed = new Computed(next.layer(0), next.out(0), next.logSumExp(0));
        new PlanCheck(attention.plan(), gpu, 12).assertRight(message, 0, computed, round);
      }
    }
    assertFacadeWorks();
  }

  private void assertFacadeWorks() {
    try (SparseAttention attention = facade(FakePattern.firstKeys())) {
      assertPrefillRight(attention, 5);
    }
  }

  private boolean assertPrefillRight(SparseAttention attention, int seed) {
    TestLayer layer = layer(seed);
    HeadTensor out = out();
    attention.prefill(0, layer.queries(), layer.keys(), layer.values(), out);
    Computed computed = new Computed(layer, out, MemorySegment.NULL);
    new PlanCheck(attention.plan(), gpu, 12).assertRight("seed " + seed, 0, computed, seed);
    return true;
  }

  /** Layer 0 runs A-shape, layer 1 the pattern that is tested. */
  private static SparseAttention facade(SparsePattern pattern) {
    HeadsConfig heads =
        HeadsConfig.builder(MODEL)
            .defaults("a-shape", Map.of("sink", 20, "local", 60))
            .assign("1", "0-3", pattern.name(), Map.of())
            .build();
    return SparseAttention.builder()
        .heads(heads)
        .registry(PatternRegistry.builder().discover().add(pattern).build())
        .backend("cuda")
        .denseBelow(0)
        .build();
  }

  private static TestLayer layer(int seed) {
    AttentionShape shape = new AttentionShape(4, 2, 200, 300, 64);
    return new TestTensors(seed).gaussianLayer(shape, ElementType.FLOAT16, Layout.CONTIGUOUS);
  }

  private static void nothing(GpuQueue queue) {}

  private static HeadTensor out() {
    return Layout.CONTIGUOUS.allocate(ElementType.FLOAT16, 4, 200, 64);
  }

  private static PackedBatch batch(int seed) {
    return PackedBatch.random(
        MODEL,
        List.of(new int[] {200, 300}),
        ElementType.FLOAT16,
        Layout.CONTIGUOUS,
        new Random(seed));
  }
}
