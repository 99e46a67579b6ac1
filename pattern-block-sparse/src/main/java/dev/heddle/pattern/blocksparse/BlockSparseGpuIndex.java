package dev.heddle.pattern.blocksparse;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.AttentionParameters;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuTables;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;

/** Queues the kernels that build the index of one call. Used once. */
final class BlockSparseGpuIndex {
  /** Where these kernels' own fields begin. */
  private static final int OWN = AttentionParameters.BYTES;

  /** {@code sizeof(BlockSparseParams)} of block_sparse.cu. */
  static final int STRUCT_BYTES = OWN + 40;

  private static final int POOLED_PER_BLOCK = 8;
  private static final int COUNT_ROWS = 128;
  private static final int SCORE_TILE = 128;

  /** {@code kWarpScores} of top_of_row.cuh. */
  private static final int SCORES_PER_WARP = 2048;

  private static final int MOST_WARPS = 16;

  private final GpuCall call;
  private final GpuQueue queue;
  private final BlockSparseSizes sizes;
  private final GpuIndex index;
  private final KernelParameters parameters;

  BlockSparseGpuIndex(GpuCall call, GpuTables tables, GpuQueue queue) {
    this.call = call;
    this.queue = queue;
    this.sizes = new BlockSparseSizes(call);
    this.index =
        new GpuIndex(
            queue.allocate((call.indexRows() + 1) * Long.BYTES),
            queue.allocate(sizes.blockEntries() * Integer.BYTES),
            queue.allocate((call.indexRows() + 1) * Long.BYTES),
            queue.allocate(sizes.columnEntries() * Integer.BYTES));
    this.parameters =
        AttentionParameters.pack(call, tables, index, STRUCT_BYTES)
            .putLong(OWN, queue.allocate(sizes.meanQueries() * Float.BYTES))
            .putLong(OWN + 8, queue.allocate(sizes.meanKeys() * Float.BYTES))
            .putLong(OWN + 16, queue.allocate(sizes.scores() * Float.BYTES))
            .putInt(OWN + 24, call.layer().keys().heads())
            .putInt(OWN + 28, sizes.mostKeyBlocks())
            .putInt(OWN + 36, sizes.passRows());
  }

  GpuIndex build() {
    pool();
    countRows();
    for (int first = 0; first < sizes.mostQueryBlocks(); first += sizes.passRows()) {
      parameters.putInt(OWN + 32, first);
      scoreAndSelect();
    }
    return index;
  }

  private void pool() {
    int heads = call.heads().size() + call.layer().keys().heads();
    launch(
        "pool_" + AttentionLaunch.suffix(call.layer()),
        new KernelGrid(
            Math.ceilDiv(sizes.mostKeyBlocks(), POOLED_PER_BLOCK),
            heads,
            sequences(),
            32,
            POOLED_PER_BLOCK,
            0));
  }

  /** How much each row lists depends on sizes and options alone. */
  private void countRows() {
    launch(
        "count",
        KernelGrid.of(
            call.heads().size(),
            Math.ceilDiv(sizes.mostQueryBlocks(), COUNT_ROWS),
            sequences(),
            COUNT_ROWS));
    launch("scan", KernelGrid.of(2, 1, 1, 1024));
  }

  private void scoreAndSelect() {
    launch(
        "score",
        KernelGrid.of(
            Math.ceilDiv(sizes.mostKeyBlocks(), SCORE_TILE),
            Math.ceilDiv(sizes.passRows(), SCORE_TILE),
            sizes.units(),
            256));
    int warps = Math.ceilDiv(sizes.mostKeyBlocks(), SCORES_PER_WARP);
    if (warps > MOST_WARPS) {
      throw new InvalidInputException(
          "a sequence has %,d keys; Block-Sparse takes at most %,d on a GPU"
              .formatted(
                  call.layer().mostKeyTokens(),
                  MOST_WARPS * SCORES_PER_WARP * call.layer().blocks().keyColumns()));
    }
    launch("select", KernelGrid.of(call.heads().size(), sizes.passRows(), sequences(), 32 * warps));
  }

  private int sequences() {
    return call.layer().sequences().size();
  }

  private void launch(String kernel, KernelGrid grid) {
    queue.launch(BlockSparseKernels.SOURCE, "heddle_block_sparse_" + kernel, grid, parameters);
  }
}
