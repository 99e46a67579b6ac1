package dev.heddle.kernels.cuda;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.AttentionParameters;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuTables;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Launches the kernels that belong to no pattern: attention by rows of an index, and dense. */
final class SharedKernels {
  static final KernelSource DENSE =
      new KernelSource(
          "dense",
          () -> Optional.ofNullable(SharedKernels.class.getResourceAsStream("dense.fatbin")));
  static final KernelSource ROWS =
      new KernelSource(
          "rows",
          () -> Optional.ofNullable(SharedKernels.class.getResourceAsStream("rows.fatbin")));

  /** Rows that a thread block counts, a warp each. */
  private static final int COUNT_ROWS = 8;

  private SharedKernels() {}

  /** Queues the attention of the heads of {@code call} by the rows of {@code index}. */
  static void attendRows(GpuCall call, GpuTables tables, GpuIndex index, GpuQueue queue) {
    AttentionLaunch.queue(call, ROWS, "heddle_rows_attend", parameters(call, tables, index), queue);
  }

  /** Queues dense attention of the heads of {@code call}. */
  static void attendDense(GpuCall call, GpuTables tables, GpuQueue queue) {
    AttentionLaunch.queue(
        call, DENSE, "heddle_dense_attend", parameters(call, tables, GpuIndex.COMPUTED), queue);
  }

  /** Counts the cells (query, key) that each head slot's rows list. Waits for the device. */
  static long[] countCells(GpuCall call, GpuTables tables, GpuIndex index, GpuQueue queue) {
    int slots = call.heads().size();
    long counts = queue.allocate(countBytes(call));
    queue.fill(counts, (byte) 0, countBytes(call));
    KernelParameters parameters =
        AttentionParameters.pack(call, tables, index, AttentionParameters.BYTES + Long.BYTES);
    parameters.putLong(AttentionParameters.BYTES, counts);
    KernelGrid grid =
        KernelGrid.of(
            slots,
            Math.ceilDiv(call.layer().mostQueryBlocks(), COUNT_ROWS),
            call.layer().sequences().size(),
            32 * COUNT_ROWS);
    queue.launch(ROWS, "heddle_count_cells", grid, parameters);
    long[] cells = new long[slots];
    queue.download(counts, MemorySegment.ofArray(cells));
    return cells;
  }

  /** Device memory that {@link #countCells} takes. */
  static long countBytes(GpuCall call) {
    return (long) call.heads().size() * Long.BYTES;
  }

  private static KernelParameters parameters(GpuCall call, GpuTables tables, GpuIndex index) {
    return AttentionParameters.pack(call, tables, index, AttentionParameters.BYTES);
  }
}
