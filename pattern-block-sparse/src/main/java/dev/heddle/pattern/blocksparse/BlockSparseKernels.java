package dev.heddle.pattern.blocksparse;

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

/** Block-Sparse on the GPU: means, block scores and top blocks stay on the device. */
final class BlockSparseKernels implements GpuKernels {
  static final KernelSource SOURCE =
      new KernelSource(
          "block_sparse",
          () ->
              Optional.ofNullable(
                  BlockSparseKernels.class.getResourceAsStream("block_sparse.fatbin")));

  @Override
  public KernelSource source() {
    return SOURCE;
  }

  @Override
  public boolean readsAll(AttentionShape shape, Options options) {
    return Math.max(
            options.get(BlockSparsePattern.BLOCKS), options.get(BlockSparsePattern.SINK_BLOCKS))
        >= BlockShape.DEFAULT.keyBlocks(shape.keyTokens());
  }

  @Override
  public long scratchBytes(GpuCall call) {
    return new BlockSparseSizes(call).bytes();
  }

  @Override
  public GpuIndex index(GpuCall call, GpuTables tables, GpuQueue queue) {
    return new BlockSparseGpuIndex(call, tables, queue).build();
  }

  @Override
  public void attend(GpuCall call, GpuTables tables, GpuIndex index, GpuQueue queue) {
    AttentionLaunch.queue(
        call,
        SOURCE,
        "heddle_block_sparse_attend",
        AttentionParameters.pack(call, tables, index, AttentionParameters.BYTES),
        queue);
  }
}
