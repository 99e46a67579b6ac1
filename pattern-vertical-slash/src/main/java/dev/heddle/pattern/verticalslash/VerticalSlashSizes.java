package dev.heddle.pattern.verticalslash;

import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuHead;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.Options;
import java.util.List;
import java.util.function.ToIntFunction;

/** How large the device arrays of one call are. */
record VerticalSlashSizes(GpuCall call, ProbeTeams teams) {
  /** Probes, and keys, that a warp multiplies at a time: {@code kTile} of the kernels. */
  static final int TILE = 64;

  /** Sums of which a word of bits says whether they are kept: {@code kWordKeys}. */
  private static final int WORD_KEYS = 32;

  /** {@code kFirstDigits} and {@code kPartSums} of selection.cuh. */
  private static final int FIRST_DIGITS = 1 << 13;

  private static final int PART_SUMS = 32_768;

  private static final int LEAST_CHUNK_KEYS = 256;
  private static final int MOST_CHUNK_KEYS = 512;

  /** Offsets are taken to lie in runs of at least this many when memory or time is estimated. */
  static final int USUAL_RUN = 64;

  private static final long ALIGNMENT_BYTES = 256;
  private static final int PAIR_BYTES = 8;
  private static final int QUADRUPLE_BYTES = 16;

  VerticalSlashSizes(GpuCall call) {
    this(call, ProbeTeams.of(call));
  }

  int units() {
    return call.layer().sequences().size() * call.heads().size();
  }

  int mostQueryBlocks() {
    return call.layer().mostQueryBlocks();
  }

  /**
   * Keys of which a part of a thread block scores the probes: few enough that short prompts keep
   * all multiprocessors busy.
   */
  int chunkKeys() {
    int share = Integer.highestOneBit(call.layer().mostKeyTokens() / TILE);
    return Math.clamp(share, LEAST_CHUNK_KEYS, MOST_CHUNK_KEYS);
  }

  int chunks() {
    return Math.ceilDiv(call.layer().mostKeyTokens(), chunkKeys());
  }

  /** Sums that a unit has: one for each key, rounded up to whole chunks. */
  int sumLength() {
    return Math.multiplyExact(chunks(), chunkKeys());
  }

  int mostProbes() {
    int mostQueries =
        call.layer().sequences().stream().mapToInt(GpuSequence::queryTokens).max().orElseThrow();
    return most(options -> Math.min(options.get(VerticalSlashPattern.PROBE_QUERIES), mostQueries));
  }

  int mostVerticals() {
    return most(VerticalSlashSizes::verticals, call.layer().mostKeyTokens());
  }

  int mostSlashes() {
    return most(VerticalSlashSizes::slashes, call.layer().mostKeyTokens());
  }

  /** Of the sums by column, and of those by offset. */
  long sumsBytes() {
    return (long) units() * sumLength() * Float.BYTES;
  }

  long overhangsBytes() {
    return (long) units() * chunks() * TILE * Float.BYTES;
  }

  long partialsBytes() {
    return (long) units() * TILE * chunks() * PAIR_BYTES;
  }

  long statisticsBytes() {
    return (long) units() * TILE * PAIR_BYTES;
  }

  long columnsBytes() {
    return (long) units() * mostVerticals() * Integer.BYTES;
  }

  long offsetsBytes() {
    return (long) units() * mostSlashes() * Integer.BYTES;
  }

  /** Of both lists of sums. */
  long wordsBytes() {
    return 2L * units() * (sumLength() / WORD_KEYS + 2) * PAIR_BYTES;
  }

  /** Of both lists of sums. */
  long digitCountsBytes() {
    return 2L * units() * FIRST_DIGITS * Integer.BYTES;
  }

  /** Parts of a list of sums that a thread block reads each. */
  int sumParts() {
    return Math.ceilDiv(call.layer().mostKeyTokens(), PART_SUMS);
  }

  long longRunsBytes() {
    int longRun = call.layer().blocks().keyColumns() / 2;
    return (long) units() * (mostVerticals() / longRun + 1) * PAIR_BYTES;
  }

  /** Of the runs in full query blocks, and of those in the last one. */
  long offsetRunsBytes() {
    return (long) units() * mostSlashes() * PAIR_BYTES;
  }

  long runCountsBytes() {
    return (long) units() * QUADRUPLE_BYTES;
  }

  long rowOffsetsBytes() {
    return (call.indexRows() + 1) * Long.BYTES;
  }

  static long totalsBytes() {
    return 2 * Long.BYTES;
  }

  /** What the pointers of {@code VerticalSlashParams} point to, in their order. */
  List<Long> arrayBytes() {
    return List.of(
        teams.bytes(),
        sumsBytes(),
        sumsBytes(),
        overhangsBytes(),
        partialsBytes(),
        statisticsBytes(),
        columnsBytes(),
        offsetsBytes(),
        wordsBytes(),
        longRunsBytes(),
        offsetRunsBytes(),
        offsetRunsBytes(),
        runCountsBytes(),
        totalsBytes(),
        digitCountsBytes());
  }

  /** All of these, and the offsets of the rows of blocks and of columns. */
  long scratchBytes() {
    return 2 * aligned(rowOffsetsBytes())
        + arrayBytes().stream().mapToLong(VerticalSlashSizes::aligned).sum();
  }

  /** Where the next array begins. */
  static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  }

  /** The arrays, and the lists of the rows as long as they usually are at most. */
  long estimatedBytes() {
    return scratchBytes() + listEntries() * Integer.BYTES + ALIGNMENT_BYTES;
  }

  /**
   * Entries of all rows. For blocks this is a bound: an offset alone makes a full query block read
   * 128 keys, two blocks, and neighbouring offsets together no more; and no row has more blocks
   * than fit before its end. For columns there is none worth having: up to 31 keys behind the last
   * block of each run of offsets are listed one by one, and how many runs there are is known once
   * the scores are. So runs are taken to have {@link #USUAL_RUN} offsets. The lists are allocated
   * at their true length, once that has been counted: what does not fit is noticed there.
   */
  long listEntries() {
    BlockShape blocks = call.layer().blocks();
    long entries = 0;
    for (GpuHead head : call.heads()) {
      long verticals = verticals(head.options());
      long slashes = slashes(head.options());
      long mostColumns = verticals + (slashes / USUAL_RUN + 1) * (blocks.keyColumns() / 2 - 1L);
      long perOffset = 2L * blocks.queryRows() / blocks.keyColumns();
      long mostBlocks = slashes * perOffset + 2 * verticals / blocks.keyColumns() + 2;
      for (GpuSequence sequence : call.layer().sequences()) {
        long rows = blocks.queryBlocks(sequence.queryTokens());
        // Visible keys grow evenly from the first row to the last one.
        long most = sequence.keyTokens();
        long least = most - sequence.queryTokens();
        entries +=
            rows
                * (meanOfLesser(least, most, mostColumns)
                    + meanOfLesser(
                        least / blocks.keyColumns() + 2,
                        most / blocks.keyColumns() + 2,
                        mostBlocks));
      }
    }
    return entries;
  }

  /** The mean of min(x, limit), rounded up, for x from {@code least} to {@code most}. */
  private static long meanOfLesser(long least, long most, long limit) {
    if (limit >= most) {
      return (least + most + 1) / 2;
    }
    if (limit <= least) {
      return limit;
    }
    double below = (double) (limit - least) * (least + limit) / 2;
    return (long) Math.ceil((below + (double) (most - limit) * limit) / (most - least));
  }

  static int verticals(Options options) {
    return Math.max(
        options.get(VerticalSlashPattern.VERTICALS), options.get(VerticalSlashPattern.SINK));
  }

  static int slashes(Options options) {
    return Math.max(
        options.get(VerticalSlashPattern.SLASHES), options.get(VerticalSlashPattern.LOCAL));
  }

  private int most(ToIntFunction<Options> size, int limit) {
    return Math.clamp(most(size), 1, limit);
  }

  private int most(ToIntFunction<Options> size) {
    return call.heads().stream()
        .mapToInt(head -> size.applyAsInt(head.options()))
        .max()
        .orElseThrow();
  }
}
