package dev.heddle.pattern.ashape;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.AttentionParameters;
import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuTables;
import dev.heddle.api.KernelSource;
import dev.heddle.api.Options;
import java.util.Optional;

/** A-shape on the GPU: the attention kernel computes each row of the index from the two options. */
final class AShapeKernels implements GpuKernels {
  private static final KernelSource SOURCE =
      new KernelSource(
          "a_shape",
          () -> Optional.ofNullable(AShapeKernels.class.getResourceAsStream("a_shape.fatbin")));

  @Override
  public KernelSource source() {
    return SOURCE;
  }

  @Override
  public boolean readsAll(AttentionShape shape, Options options) {
    return builder(options).readsAll(shape);
  }

  @Override
  public long cells(AttentionShape shape, BlockShape blocks, Options options) {
    return builder(options).build(shape, blocks).cells();
  }

  @Override
  public long scratchBytes(GpuCall call) {
    return 0;
  }

  @Override
  public GpuIndex index(GpuCall call, GpuTables tables, GpuQueue queue) {
    return GpuIndex.COMPUTED;
  }

  @Override
  public void attend(GpuCall call, GpuTables tables, GpuIndex index, GpuQueue queue) {
    AttentionLaunch.queue(
        call,
        SOURCE,
        "heddle_a_shape_attend",
        AttentionParameters.pack(call, tables, index, AttentionParameters.BYTES),
        queue);
  }

  private static AShapeIndexBuilder builder(Options options) {
    return new AShapeIndexBuilder(
        options.get(AShapePattern.SINK), options.get(AShapePattern.LOCAL));
  }
}
