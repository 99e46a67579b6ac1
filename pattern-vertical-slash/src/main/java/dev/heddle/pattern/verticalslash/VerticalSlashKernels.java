package dev.heddle.pattern.verticalslash;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.AttentionParameters;
import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuCost;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuTables;
import dev.heddle.api.KernelSource;
import dev.heddle.api.Options;
import java.util.Optional;

/**
 * Vertical-Slash on the GPU: probe scores are summed in passes over K, the top columns and offsets
 * are chosen, and the rows they require are counted and then written, all on the device.
 */
final class VerticalSlashKernels implements GpuKernels {
  static final KernelSource SOURCE =
      new KernelSource(
          "vertical_slash",
          () ->
              Optional.ofNullable(
                  VerticalSlashKernels.class.getResourceAsStream("vertical_slash.fatbin")));

  @Override
  public KernelSource source() {
    return SOURCE;
  }

  @Override
  public boolean readsAll(AttentionShape shape, Options options) {
    return VerticalSlashPattern.builder(options).keepsAll(shape.keyTokens());
  }

  @Override
  public Optional<GpuCost> cost(AttentionShape shape, BlockShape blocks, Options options) {
    return Optional.of(new VerticalSlashCost(shape, blocks).of(options));
  }

  @Override
  public long scratchBytes(GpuCall call) {
    return new VerticalSlashSizes(call).estimatedBytes();
  }

  @Override
  public GpuIndex index(GpuCall call, GpuTables tables, GpuQueue queue) {
    return new VerticalSlashGpuIndex(call, tables, queue).build();
  }

  @Override
  public void attend(GpuCall call, GpuTables tables, GpuIndex index, GpuQueue queue) {
    AttentionLaunch.queue(
        call,
        SOURCE,
        "heddle_vertical_slash_attend",
        AttentionParameters.pack(call, tables, index, AttentionParameters.BYTES),
        queue);
  }
}
