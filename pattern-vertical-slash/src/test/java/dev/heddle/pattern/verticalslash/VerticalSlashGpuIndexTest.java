package dev.heddle.pattern.verticalslash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionParameters;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuHead;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTables;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.api.Options;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is queued for one call: needs no device. */
class VerticalSlashGpuIndexTest {
  private static final long BASE = 1 << 20;

  @Test
  void arraysLieOneBehindTheOtherInOneAllocation() {
    GpuCall call = call(64);
    VerticalSlashSizes sizes = new VerticalSlashSizes(call);
    RecordingQueue queue = new RecordingQueue();
    GpuIndex index = new VerticalSlashGpuIndex(call, new GpuTables(1, 2, 3, 5, 0), queue).build();
    assertThat(queue.allocations).hasSize(2);
    assertThat(queue.allocations.getFirst()).isEqualTo(sizes.scratchBytes());
    long end = index.columnOffsets() + sizes.rowOffsetsBytes();
    assertThat(index.blockOffsets()).isEqualTo(BASE);
    assertThat(index.columnOffsets()).isGreaterThanOrEqualTo(BASE + sizes.rowOffsetsBytes());
    ByteBuffer struct = queue.parameters.getLast();
    for (int i = 0; i < sizes.arrayBytes().size(); i++) {
      long address = struct.getLong(AttentionParameters.BYTES + i * Long.BYTES);
      assertThat(address % 256).isZero();
      assertThat(address).as("array %d", i).isGreaterThanOrEqualTo(end);
      end = address + sizes.arrayBytes().get(i);
    }
    assertThat(end).isLessThanOrEqualTo(BASE + sizes.scratchBytes());
    assertThat(index.columns()).isGreaterThanOrEqualTo(index.blockStarts() + 5 * Integer.BYTES);
  }

  @Test
  void everySixtyFourProbesAreATurnOfThree() {
    for (int probes : new int[] {1, 64, 65, 200}) {
      RecordingQueue queue = new RecordingQueue();
      new VerticalSlashGpuIndex(call(probes), new GpuTables(1, 2, 3, 5, 0), queue).build();
      int groups = Math.ceilDiv(probes, 64);
      assertThat(queue.kernels).hasSize(3 * groups + 6);
      assertThat(queue.kernels.subList(0, 3))
          .containsExactly(
              "heddle_vertical_slash_probe_statistics_bf16_128",
              "heddle_vertical_slash_combine_statistics",
              "heddle_vertical_slash_probe_sums_bf16_128");
      assertThat(queue.kernels.subList(3 * groups, 3 * groups + 6))
          .extracting(name -> name.substring("heddle_vertical_slash_".length()))
          .containsExactly("digits", "mark", "select", "count", "scan", "emit");
    }
  }

  private static GpuCall call(int probes) {
    Options options =
        Options.defaults(new VerticalSlashPattern().options())
            .with(VerticalSlashPattern.VERTICALS, 50)
            .with(VerticalSlashPattern.SLASHES, 120)
            .with(VerticalSlashPattern.PROBE_QUERIES, probes);
    GpuTensor q = GpuTensor.contiguous(256, ElementType.BFLOAT16, 2, 500, 128);
    GpuTensor k = GpuTensor.contiguous(512, ElementType.BFLOAT16, 1, 900, 128);
    GpuLayer layer =
        new GpuLayer(q, k, k, q, 0, 0.1f, BlockShape.DEFAULT, List.of(GpuSequence.whole(500, 900)));
    return new GpuCall(layer, List.of(new GpuHead(0, options), new GpuHead(1, options)));
  }

  /** Notes what it is asked for; 5 blocks and 7 columns are counted. */
  private static final class RecordingQueue implements GpuQueue {
    final List<Long> allocations = new ArrayList<>();
    final List<String> kernels = new ArrayList<>();
    final List<ByteBuffer> parameters = new ArrayList<>();

    @Override
    public long allocate(long bytes) {
      allocations.add(bytes);
      return allocations.size() * BASE;
    }

    @Override
    public void fill(long address, byte value, long bytes) {}

    @Override
    public void upload(MemorySegment source, long address) {}

    @Override
    public void download(long address, MemorySegment target) {
      target.setAtIndex(ValueLayout.JAVA_LONG, 0, 5);
      target.setAtIndex(ValueLayout.JAVA_LONG, 1, 7);
    }

    @Override
    public boolean has(KernelSource source, String kernel) {
      return false;
    }

    @Override
    public void launch(
        KernelSource source, String kernel, KernelGrid grid, KernelParameters struct) {
      kernels.add(kernel);
      parameters.add(ByteBuffer.wrap(struct.toBytes()).order(ByteOrder.nativeOrder()));
    }

    @Override
    public int multiprocessors() {
      return 1;
    }
  }
}
