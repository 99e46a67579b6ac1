package dev.heddle.pattern.verticalslash;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.AttentionParameters;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuTables;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import java.lang.foreign.MemorySegment;

/** Queues the kernels that build the index of one call. Used once. */
final class VerticalSlashGpuIndex {
  /** Where this kernel's own fields begin. */
  private static final int OWN = AttentionParameters.BYTES;

  /** {@code sizeof(VerticalSlashParams)} of vertical_slash.cu. */
  static final int STRUCT_BYTES = OWN + 96;

  private static final int COUNT_ROWS = 128;
  private static final int PROBES_PER_BLOCK = 8;

  private final GpuCall call;
  private final GpuQueue queue;
  private final VerticalSlashSizes sizes;
  private final long blockOffsets;
  private final long columnOffsets;
  private final KernelParameters parameters;

  VerticalSlashGpuIndex(GpuCall call, GpuTables tables, GpuQueue queue) {
    this.call = call;
    this.queue = queue;
    this.sizes = new VerticalSlashSizes(call);
    this.blockOffsets = queue.allocate(sizes.rowOffsetsBytes());
    this.columnOffsets = queue.allocate(sizes.rowOffsetsBytes());
    GpuIndex counted = new GpuIndex(blockOffsets, 0, columnOffsets, 0);
    this.parameters =
        AttentionParameters.pack(call, tables, counted, STRUCT_BYTES)
            .putLong(OWN, queue.allocate(sizes.columnSumsBytes()))
            .putLong(OWN + 8, queue.allocate(sizes.offsetSumsBytes()))
            .putLong(OWN + 16, queue.allocate(sizes.partialsBytes()))
            .putLong(OWN + 24, queue.allocate(sizes.statisticsBytes()))
            .putLong(OWN + 32, queue.allocate(sizes.columnsBytes()))
            .putLong(OWN + 40, queue.allocate(sizes.offsetsBytes()))
            .putLong(OWN + 48, queue.allocate(sizes.columnRunsBytes()))
            .putLong(OWN + 56, queue.allocate(sizes.offsetRunsBytes()))
            .putLong(OWN + 64, queue.allocate(sizes.offsetRunsBytes()))
            .putLong(OWN + 72, queue.allocate(sizes.runCountsBytes()))
            .putInt(OWN + 80, sizes.mostKeyTokens())
            .putInt(OWN + 84, sizes.mostProbes())
            .putInt(OWN + 88, sizes.mostVerticals())
            .putInt(OWN + 92, sizes.mostSlashes());
  }

  GpuIndex build() {
    sumProbes();
    launch("select", KernelGrid.of(heads(), 2, sequences(), 1024));
    launch("count", rowsGrid());
    launch("scan", KernelGrid.of(2, 1, 1, 1024));
    GpuIndex index =
        new GpuIndex(
            blockOffsets, allocateEntries(blockOffsets),
            columnOffsets, allocateEntries(columnOffsets));
    parameters.putLong(144, index.blockStarts()).putLong(160, index.columns());
    launch("emit", rowsGrid());
    return index;
  }

  /** Softmax of the probes in two passes over K: its statistics, then the sums of its weights. */
  private void sumProbes() {
    GpuLayer layer = call.layer();
    KernelGrid overKeys =
        new KernelGrid(heads(), sizes.keyParts(), sequences(), 128, 1, probeSharedBytes(layer));
    launch(AttentionLaunch.kernel("probe_statistics", layer), overKeys);
    launch(
        "combine_statistics",
        KernelGrid.of(
            heads(), Math.ceilDiv(sizes.mostProbes(), PROBES_PER_BLOCK), sequences(), 256));
    launch(AttentionLaunch.kernel("probe_sums", layer), overKeys);
  }

  /** Waits for the device, because only it knows how much the rows list. */
  private long allocateEntries(long offsets) {
    long[] total = new long[1];
    queue.download(offsets + call.indexRows() * Long.BYTES, MemorySegment.ofArray(total));
    return queue.allocate(Math.max(1, total[0]) * Integer.BYTES);
  }

  private KernelGrid rowsGrid() {
    return KernelGrid.of(
        heads(), Math.ceilDiv(sizes.mostQueryBlocks(), COUNT_ROWS), sequences(), COUNT_ROWS);
  }

  /** The table of vertical_slash.cu. */
  private static int probeSharedBytes(GpuLayer layer) {
    boolean wide = layer.queries().type() == ElementType.FLOAT32;
    return switch (AttentionLaunch.kernelHeadDim(layer)) {
      case 64 -> wide ? 55_808 : 37_376;
      case 96 -> wide ? 72_192 : 45_568;
      case 128 -> wide ? 88_576 : 53_760;
      default -> wide ? 154_112 : 86_528;
    };
  }

  private int heads() {
    return call.heads().size();
  }

  private int sequences() {
    return call.layer().sequences().size();
  }

  private void launch(String kernel, KernelGrid grid) {
    queue.launch(VerticalSlashKernels.SOURCE, "heddle_vertical_slash_" + kernel, grid, parameters);
  }
}
