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
import java.util.List;

/** Queues the kernels that build the index of one call. Used once. */
final class VerticalSlashGpuIndex {
  /** Where these kernels' own fields begin. */
  private static final int OWN = AttentionParameters.BYTES;

  /** {@code sizeof(VerticalSlashParams)} of vertical_slash_params.cuh. */
  static final int STRUCT_BYTES = OWN + 144;

  /** Pointers at its start. */
  private static final int POINTERS = 15;

  private static final int BEHIND_AT = OWN + 128;
  private static final String PREFIX = "heddle_vertical_slash_";

  /** {@code HopperProbeShape::kChunks} and {@code kThreads}. */
  private static final int HOPPER_CHUNKS = 4;

  private static final int HOPPER_THREADS = 256;
  private static final int ROWS_PER_BLOCK = 8;
  private static final int SELECT_THREADS = 1024;

  private final GpuCall call;
  private final GpuQueue queue;
  private final VerticalSlashSizes sizes;
  private final KernelParameters parameters;
  private final GpuIndex counted;
  private final boolean mayUseHopper;
  private final long teams;
  private final long offsetSums;
  private final long totals;

  VerticalSlashGpuIndex(GpuCall call, GpuTables tables, GpuQueue queue) {
    this.call = call;
    this.queue = queue;
    this.sizes = new VerticalSlashSizes(call);
    this.mayUseHopper = tables.hopper() != 0;
    // One allocation: each costs the host microseconds, for which the device may have to wait.
    long next = queue.allocate(sizes.scratchBytes());
    long blockOffsets = next;
    long columnOffsets = blockOffsets + VerticalSlashSizes.aligned(sizes.rowOffsetsBytes());
    next = columnOffsets + VerticalSlashSizes.aligned(sizes.rowOffsetsBytes());
    this.counted = new GpuIndex(blockOffsets, 0, columnOffsets, 0);
    this.parameters = AttentionParameters.pack(call, tables, counted, STRUCT_BYTES);
    long[] addresses = new long[POINTERS];
    List<Long> bytes = sizes.arrayBytes();
    for (int i = 0; i < POINTERS; i++) {
      addresses[i] = next;
      parameters.putLong(OWN + i * Long.BYTES, next);
      next += VerticalSlashSizes.aligned(bytes.get(i));
    }
    this.teams = addresses[0];
    this.offsetSums = addresses[2];
    this.totals = addresses[13];
    parameters
        .putInt(OWN + 120, sizes.sumLength())
        .putInt(OWN + 124, sizes.chunkKeys())
        .putInt(OWN + 132, sizes.mostVerticals())
        .putInt(OWN + 136, sizes.mostSlashes());
  }

  GpuIndex build() {
    if (!sizes.teams().isEmpty()) {
      sumProbes();
    }
    select();
    launch("count", rowsGrid());
    launch("scan", KernelGrid.of(2, 1, 1, 1024));
    GpuIndex index = allocateEntries();
    parameters.putLong(144, index.blockStarts()).putLong(160, index.columns());
    launch("emit", rowsGrid());
    return index;
  }

  /**
   * Softmax of the probes in two passes over K, for 64 probes after the other: its statistics, then
   * the sums of its weights.
   */
  private void sumProbes() {
    GpuLayer layer = call.layer();
    queue.upload(sizes.teams().pack(), teams);
    int lastGroup = (sizes.mostProbes() - 1) / VerticalSlashSizes.TILE;
    if (lastGroup > 0) {
      queue.fill(offsetSums, (byte) 0, sizes.sumsBytes());
    }
    boolean hopper = usesHopper(layer);
    KernelGrid overKeys =
        hopper ? hopperProbeGrid(layer) : probeGrid(layer, sizes.teams().mostMembers());
    String suffix = hopper ? "_hopper" : "";
    for (int group = lastGroup; group >= 0; group--) {
      parameters.putInt(BEHIND_AT, group * VerticalSlashSizes.TILE);
      launch(AttentionLaunch.kernel("probe_statistics" + suffix, layer), overKeys);
      launch("combine_statistics", KernelGrid.of(heads(), 8, sequences(), 256));
      launch(AttentionLaunch.kernel("probe_sums" + suffix, layer), overKeys);
    }
  }

  /**
   * The probe for compute capability 9.0 has two warpgroups, which share a team's members, and one
   * thread block per multiprocessor: a short prompt has too few of these, and is faster without.
   */
  private boolean usesHopper(GpuLayer layer) {
    KernelGrid grid = hopperProbeGrid(layer);
    return mayUseHopper
        && sizes.teams().mostMembers() > 1
        && (long) grid.blocksX() * grid.blocksY() >= queue.multiprocessors()
        && queue.has(
            VerticalSlashKernels.SOURCE,
            PREFIX + AttentionLaunch.kernel("probe_statistics_hopper", layer));
  }

  /** The greatest sums of each head's two lists. */
  private void select() {
    int lists = 2 * heads();
    KernelGrid overSums = KernelGrid.of(lists, sizes.sumParts(), sequences(), SELECT_THREADS);
    launch("digits", overSums);
    launch("mark", overSums);
    launch("select", KernelGrid.of(lists, 1, sequences(), SELECT_THREADS));
  }

  /** Waits for the device, because only it knows how much the rows list. */
  private GpuIndex allocateEntries() {
    long[] entries = new long[2];
    queue.download(totals, MemorySegment.ofArray(entries));
    long blocksBytes = VerticalSlashSizes.aligned(Math.max(1, entries[0]) * Integer.BYTES);
    long blocks = queue.allocate(blocksBytes + Math.max(1, entries[1]) * Integer.BYTES);
    return new GpuIndex(
        counted.blockOffsets(), blocks, counted.columnOffsets(), blocks + blocksBytes);
  }

  private KernelGrid rowsGrid() {
    return KernelGrid.of(
        Math.ceilDiv(sizes.mostQueryBlocks(), ROWS_PER_BLOCK), heads(), sequences(), 256);
  }

  /** Shared memory holds the probes of each member, and a tile of keys for each part. */
  private KernelGrid probeGrid(GpuLayer layer, int members) {
    int headDim = AttentionLaunch.kernelHeadDim(layer);
    boolean wide = layer.queries().type() == ElementType.FLOAT32;
    int parts = wide ? 1 : 2; // ProbeShape::kParts
    int rowBytes = wide ? (headDim + 4) * Float.BYTES : headDim * Short.BYTES;
    return new KernelGrid(
        sizes.teams().size(),
        Math.ceilDiv(sizes.chunks(), parts),
        1,
        32 * members * parts,
        1,
        (members + parts) * VerticalSlashSizes.TILE * rowBytes);
  }

  /** The table of probe_hopper.cuh. */
  private KernelGrid hopperProbeGrid(GpuLayer layer) {
    return new KernelGrid(
        sizes.teams().size(),
        Math.ceilDiv(sizes.chunks(), HOPPER_CHUNKS),
        1,
        HOPPER_THREADS,
        1,
        AttentionLaunch.kernelHeadDim(layer) <= 64 ? 99_360 : 197_664);
  }

  private int heads() {
    return call.heads().size();
  }

  private int sequences() {
    return call.layer().sequences().size();
  }

  private void launch(String kernel, KernelGrid grid) {
    queue.launch(VerticalSlashKernels.SOURCE, PREFIX + kernel, grid, parameters);
  }
}
