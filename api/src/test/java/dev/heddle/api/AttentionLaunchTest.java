package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which kernel is launched, and in what geometry. */
class AttentionLaunchTest {
  private static final KernelSource SOURCE = new KernelSource("x", Optional::empty);
  private static final GpuIndex INDEX = new GpuIndex(1, 2, 3, 4);
  private static final long TENSOR_MAPS = 0x9000;

  @Test
  void tensorMapsAndAnImageThatHasItTakeTheKernelForHopper() {
    FakeQueue queue = new FakeQueue(Set.of("heddle_x_attend_hopper_bf16_128"));
    launch(call(ElementType.BFLOAT16, 128, 40_000), TENSOR_MAPS, queue);
    assertThat(queue.launches)
        .containsExactly(
            new Launch(
                "heddle_x_attend_hopper_bf16_128", new KernelGrid(132, 1, 1, 384, 1, 231_744)));
  }

  @Test
  void fewQueryTilesTakeFewMultiprocessors() {
    FakeQueue queue = new FakeQueue(Set.of("heddle_x_attend_hopper_f16_64"));
    launch(call(ElementType.FLOAT16, 40, 300), TENSOR_MAPS, queue);
    assertThat(queue.launches)
        .containsExactly(
            new Launch(
                "heddle_x_attend_hopper_f16_64", new KernelGrid(4 * 3, 1, 1, 384, 1, 167_368)));
  }

  @Test
  void withoutTensorMapsThePortableKernelRuns() {
    FakeQueue queue = new FakeQueue(Set.of("heddle_x_attend_hopper_bf16_128"));
    launch(call(ElementType.BFLOAT16, 128, 300), 0, queue);
    assertThat(queue.launches)
        .containsExactly(
            new Launch("heddle_x_attend_bf16_128", new KernelGrid(4, 3, 1, 128, 1, 99_456)));
  }

  @Test
  void anImageWithoutTheKernelForHopperRunsItsPortableOne() {
    FakeQueue queue = new FakeQueue(Set.of());
    launch(call(ElementType.BFLOAT16, 256, 300), TENSOR_MAPS, queue);
    assertThat(queue.launches)
        .containsExactly(
            new Launch("heddle_x_attend_bf16_256", new KernelGrid(4, 3, 1, 256, 1, 132_224)));
  }

  @Test
  void float32HasOneKernelForAllDevices() {
    FakeQueue queue = new FakeQueue(Set.of());
    launch(call(ElementType.FLOAT32, 72, 300), 0, queue);
    assertThat(queue.launches)
        .containsExactly(
            new Launch("heddle_x_attend_f32_96", new KernelGrid(4, 6, 1, 256, 1, 69_120)));
  }

  private static void launch(GpuCall call, long tensorMaps, FakeQueue queue) {
    GpuTables tables = new GpuTables(0x6000, 0x7000, 0x8000, 0, tensorMaps);
    KernelParameters parameters =
        AttentionParameters.pack(call, tables, INDEX, AttentionParameters.BYTES);
    AttentionLaunch.queue(call, SOURCE, "heddle_x_attend", parameters, queue);
  }

  /** Four heads of one sequence. */
  private static GpuCall call(ElementType type, int headDim, int tokens) {
    GpuTensor q = GpuTensor.contiguous(0x1000, type, 4, tokens, headDim);
    GpuTensor kv = GpuTensor.contiguous(0x2000, type, 1, tokens, headDim);
    List<GpuSequence> whole = List.of(GpuSequence.whole(tokens, tokens));
    Options none = Options.defaults(List.of());
    return new GpuCall(
        new GpuLayer(q, kv, kv, q, 0, 0.125f, AttentionLaunch.BLOCKS, whole),
        IntStream.range(0, 4).mapToObj(head -> new GpuHead(head, none)).toList());
  }

  private record Launch(String kernel, KernelGrid grid) {}

  /** A device of 132 multiprocessors whose image has the kernels {@code hopper} besides. */
  private static final class FakeQueue implements GpuQueue {
    private final Set<String> hopper;
    private final List<Launch> launches = new ArrayList<>();

    FakeQueue(Set<String> hopper) {
      this.hopper = hopper;
    }

    @Override
    public boolean has(KernelSource source, String kernel) {
      return hopper.contains(kernel);
    }

    @Override
    public void launch(
        KernelSource source, String kernel, KernelGrid grid, KernelParameters parameters) {
      launches.add(new Launch(kernel, grid));
    }

    @Override
    public int multiprocessors() {
      return 132;
    }

    @Override
    public long allocate(long bytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void fill(long address, byte value, long bytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void upload(MemorySegment source, long address) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void download(long address, MemorySegment target) {
      throw new UnsupportedOperationException();
    }
  }
}
