package com.example.xattention;

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

/**
 * XAttention on the GPU: kernels of its own, which Heddle compiles when they are first used, build
 * the rows of the index; Heddle's attention kernel reads them.
 */
final class XAttentionKernels implements GpuKernels {
  static final KernelSource SOURCE =
      KernelSource.ofText(
              "x_attention",
              file -> Optional.ofNullable(XAttentionKernels.class.getResourceAsStream(file)))
          .withHeader("x_attention_params.cuh")
          .withHeader("x_attention_scores.cuh")
          .withHeader("x_attention_hopper.cuh")
          .withHeader("x_attention_rows.cuh");

  @Override
  public KernelSource source() {
    return SOURCE;
  }

  @Override
  public boolean readsAll(AttentionShape shape, Options options) {
    return new XAttentionIndexBuilder(
            options.get(XAttentionPattern.STRIDE),
            options.get(XAttentionPattern.THRESHOLD),
            options.get(XAttentionPattern.SINK_BLOCKS))
        .readsAll(shape, BlockShape.DEFAULT);
  }

  @Override
  public long scratchBytes(GpuCall call) {
    return new XAttentionSizes(call).bytes();
  }

  @Override
  public GpuIndex index(GpuCall call, GpuTables tables, GpuQueue queue) {
    return new XAttentionGpuIndex(call, tables, queue).build();
  }
}
