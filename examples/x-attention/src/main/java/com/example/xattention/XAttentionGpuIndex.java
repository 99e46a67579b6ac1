package com.example.xattention;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.AttentionParameters;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuTables;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import java.lang.foreign.MemorySegment;

/** Queues the kernels that build the index of one call. Used once. */
final class XAttentionGpuIndex {
  /** Where these kernels' own fields begin. */
  private static final int OWN = AttentionParameters.BYTES;

  /** {@code sizeof(XAttentionParams)} of x_attention_params.cuh. */
  private static final int STRUCT_BYTES = OWN + 48;

  private static final int THREADS = 256;
  private static final int EMIT_ROWS = 8;

  /** The tile of scores that a thread block has, and its shared memory. */
  private record Tile(String kernel, int rows, int keys, int threads, int sharedBytes) {}

  private final GpuCall call;
  private final GpuTables tables;
  private final GpuQueue queue;
  private final XAttentionSizes sizes;
  private final long blockLogs;
  private final long kept;
  private final long totals;

  XAttentionGpuIndex(GpuCall call, GpuTables tables, GpuQueue queue) {
    this.call = call;
    this.tables = tables;
    this.queue = queue;
    this.sizes = new XAttentionSizes(call);
    this.blockLogs = queue.allocate(sizes.blockLogs() * Float.BYTES);
    this.kept = queue.allocate(sizes.keptBits() * Integer.BYTES);
    this.totals = queue.allocate(2 * Long.BYTES);
  }

  GpuIndex build() {
    long offsetBytes = (call.indexRows() + 1) * Long.BYTES;
    GpuIndex offsets = new GpuIndex(queue.allocate(offsetBytes), 0, queue.allocate(offsetBytes), 0);
    for (int first = 0; first < mostQueryBlocks(); first += sizes.passBlocks()) {
      KernelParameters pass = parameters(offsets, first);
      score(pass);
      launch(
          "select",
          KernelGrid.of(call.heads().size(), sizes.passBlocks(), sequences(), THREADS),
          pass);
    }
    launch("scan", KernelGrid.of(2, 1, 1, 1024), parameters(offsets, 0));
    long[] entries = new long[2];
    queue.download(totals, MemorySegment.ofArray(entries));
    GpuIndex index =
        new GpuIndex(
            offsets.blockOffsets(),
            queue.allocate(Math.max(1, entries[0]) * Integer.BYTES),
            offsets.columnOffsets(),
            queue.allocate(Math.max(1, entries[1]) * Integer.BYTES));
    launch(
        "emit",
        KernelGrid.of(
            Math.ceilDiv(mostQueryBlocks(), EMIT_ROWS), call.heads().size(), sequences(), THREADS),
        parameters(index, 0));
    return index;
  }

  private void score(KernelParameters pass) {
    Tile tile = tile();
    int stridedKeys = Math.ceilDiv(call.layer().mostKeyTokens(), sizes.stride());
    launch(
        tile.kernel(),
        new KernelGrid(
            Math.ceilDiv(stridedKeys, tile.keys()),
            Math.ceilDiv(sizes.passRows(), tile.rows()),
            sizes.units(),
            tile.threads(),
            1,
            tile.sharedBytes()),
        pass);
  }

  /** The kernel for compute capability 9.0, where device and image have it. */
  private Tile tile() {
    String type = AttentionLaunch.suffix(call.layer());
    if (call.layer().queries().type() == ElementType.FLOAT32) {
      return new Tile("score_" + type, 64, 64, THREADS, 0);
    }
    String hopper = "score_hopper_" + type;
    return queue.has(XAttentionKernels.SOURCE, name(hopper))
        ? new Tile(hopper, 128, 256, 384, 197_696)
        : new Tile("score_" + type, 128, 256, THREADS, 98_304);
  }

  private KernelParameters parameters(GpuIndex index, int firstBlock) {
    return AttentionParameters.pack(call, tables, index, STRUCT_BYTES)
        .putLong(OWN, blockLogs)
        .putLong(OWN + 8, kept)
        .putLong(OWN + 16, totals)
        .putInt(OWN + 24, sizes.mostKeyBlocks())
        .putInt(OWN + 28, sizes.keptWords())
        .putInt(OWN + 32, firstBlock)
        .putInt(OWN + 36, sizes.passBlocks())
        .putInt(OWN + 40, sizes.passRows());
  }

  private int mostQueryBlocks() {
    return call.layer().mostQueryBlocks();
  }

  private int sequences() {
    return call.layer().sequences().size();
  }

  private void launch(String kernel, KernelGrid grid, KernelParameters parameters) {
    queue.launch(XAttentionKernels.SOURCE, name(kernel), grid, parameters);
  }

  private static String name(String kernel) {
    return "heddle_x_attention_" + kernel;
  }
}
