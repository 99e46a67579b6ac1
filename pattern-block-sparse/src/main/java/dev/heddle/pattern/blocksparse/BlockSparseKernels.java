package dev.heddle.pattern.blocksparse;

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

/** Block-Sparse on the GPU: means, block scores and top blocks stay on the device. */
final class BlockSparseKernels implements GpuKernels {
  static final KernelSource SOURCE =
      new KernelSource(
          "block_sparse",
          () ->
              Optional.ofNullable(
                  BlockSparseKernels.class.getResourceAsStream("block_sparse.fatbin")));

  /** On an H100, 16-bit numbers, head dim 128: 1.1 ms for 32 heads of 131,072 keys. */
  private static final double INDEX_CELLS_PER_KEY = 300;

  /** Launches alone. */
  private static final long LAYER_NANOS = 60_000;

  @Override
  public KernelSource source() {
    return SOURCE;
  }

  @Override
  public boolean readsAll(AttentionShape shape, Options options) {
    return keyBlocks(options) >= BlockShape.DEFAULT.keyBlocks(shape.keyTokens());
  }

  /** Scattered blocks are as many cells as the nearest ones, since those above the diagonal go. */
  @Override
  public Optional<GpuCost> cost(AttentionShape shape, BlockShape blocks, Options options) {
    long keys = (long) keyBlocks(options) * blocks.keyColumns();
    return Optional.of(
        new GpuCost(shape.bandCells(keys), INDEX_CELLS_PER_KEY * shape.keyTokens(), LAYER_NANOS));
  }

  @Override
  public long scratchBytes(GpuCall call) {
    return new BlockSparseSizes(call).bytes();
  }

  @Override
  public GpuIndex index(GpuCall call, GpuTables tables, GpuQueue queue) {
    return new BlockSparseGpuIndex(call, tables, queue).build();
  }

  /** Blocks that a query block reads where it sees so many. */
  private static int keyBlocks(Options options) {
    return Math.max(
        options.get(BlockSparsePattern.BLOCKS), options.get(BlockSparsePattern.SINK_BLOCKS));
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
