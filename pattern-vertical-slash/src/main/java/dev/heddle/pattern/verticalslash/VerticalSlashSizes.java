package dev.heddle.pattern.verticalslash;

import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.Options;
import java.util.function.ToIntFunction;

/** How large the device arrays of one call are, in elements. */
record VerticalSlashSizes(GpuCall call) {
  /** Keys of which one thread block scores the probes. */
  static final int KEYS_PER_PART = 512;

  private static final int PAIR_BYTES = 8;
  private static final int QUADRUPLE_BYTES = 16;

  int units() {
    return call.layer().sequences().size() * call.heads().size();
  }

  int mostQueryBlocks() {
    return call.layer().mostQueryBlocks();
  }

  int mostKeyTokens() {
    return call.layer().mostKeyTokens();
  }

  int keyParts() {
    return Math.ceilDiv(mostKeyTokens(), KEYS_PER_PART);
  }

  int mostProbes() {
    int mostQueries =
        call.layer().sequences().stream().mapToInt(GpuSequence::queryTokens).max().orElseThrow();
    return most(options -> Math.min(options.get(VerticalSlashPattern.PROBE_QUERIES), mostQueries));
  }

  int mostVerticals() {
    return most(options ->
        kept(options.get(VerticalSlashPattern.VERTICALS), options.get(VerticalSlashPattern.SINK)));
  }

  int mostSlashes() {
    return most(options ->
        kept(options.get(VerticalSlashPattern.SLASHES), options.get(VerticalSlashPattern.LOCAL)));
  }

  long columnSumsBytes() {
    return (long) units() * mostKeyTokens() * Float.BYTES;
  }

  long offsetSumsBytes() {
    return columnSumsBytes();
  }

  long partialsBytes() {
    return (long) units() * mostProbes() * keyParts() * PAIR_BYTES;
  }

  long statisticsBytes() {
    return (long) units() * mostProbes() * PAIR_BYTES;
  }

  long columnsBytes() {
    return (long) units() * mostVerticals() * Integer.BYTES;
  }

  long offsetsBytes() {
    return (long) units() * mostSlashes() * Integer.BYTES;
  }

  long columnRunsBytes() {
    return (long) units() * mostVerticals() * PAIR_BYTES;
  }

  long offsetRunsBytes() {
    return (long) units() * mostSlashes() * PAIR_BYTES;
  }

  long runCountsBytes() {
    return (long) units() * QUADRUPLE_BYTES;
  }

  long rowOffsetsBytes() {
    return (call.indexRows() + 1) * Long.BYTES;
  }

  /**
   * All of the above, and lists of which the length is known only when they have been counted: here
   * as if every row listed every block before it, and a column for each vertical.
   */
  long estimatedBytes() {
    long lists = 0;
    for (GpuSequence sequence : call.layer().sequences()) {
      long rows =
          (long) call.heads().size() * call.layer().blocks().queryBlocks(sequence.queryTokens());
      long meanVisible = sequence.keyTokens() - sequence.queryTokens() / 2L;
      lists += rows * (meanVisible / call.layer().blocks().keyColumns() + 1L + mostVerticals());
    }
    return columnSumsBytes()
        + offsetSumsBytes()
        + partialsBytes()
        + statisticsBytes()
        + columnsBytes()
        + offsetsBytes()
        + columnRunsBytes()
        + 2 * offsetRunsBytes()
        + runCountsBytes()
        + 2 * rowOffsetsBytes()
        + lists * Integer.BYTES;
  }

  private int kept(int count, int forced) {
    return Math.clamp(Math.max(count, forced), 1, mostKeyTokens());
  }

  private int most(ToIntFunction<Options> size) {
    return call.heads().stream()
        .mapToInt(head -> size.applyAsInt(head.options()))
        .max()
        .orElseThrow();
  }
}
