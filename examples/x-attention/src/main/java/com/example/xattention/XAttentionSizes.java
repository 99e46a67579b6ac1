package com.example.xattention;

import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuSequence;

/** How large the device arrays of one call are, in elements. */
record XAttentionSizes(GpuCall call) {
  /** Scores are made and used a pass of query blocks at a time; a pass takes about this much. */
  private static final long SCORE_BYTES_PER_PASS = 512L << 20;

  int units() {
    return call.layer().sequences().size() * call.heads().size();
  }

  int mostKeyBlocks() {
    return call.layer().blocks().keyBlocks(call.layer().mostKeyTokens());
  }

  int keptWords() {
    return Math.ceilDiv(mostKeyBlocks(), Integer.SIZE);
  }

  /** The least of any head: it has the most strided rows. */
  int stride() {
    return call.heads().stream()
        .mapToInt(head -> Integer.highestOneBit(head.options().get(XAttentionPattern.STRIDE)))
        .min()
        .orElseThrow();
  }

  /** Query blocks that are scored per pass. */
  int passBlocks() {
    long bytesPerBlock = (long) units() * rowsPerBlock() * mostKeyBlocks() * Float.BYTES;
    return Math.clamp(SCORE_BYTES_PER_PASS / bytesPerBlock, 1, call.layer().mostQueryBlocks());
  }

  /** Strided rows of a pass, for each head and sequence. */
  int passRows() {
    return Math.multiplyExact(passBlocks(), rowsPerBlock());
  }

  long blockLogs() {
    return (long) units() * passRows() * mostKeyBlocks();
  }

  long keptBits() {
    return call.indexRows() * keptWords();
  }

  long bytes() {
    return Float.BYTES * blockLogs()
        + Integer.BYTES * (keptBits() + mostEntries())
        + 2 * Long.BYTES * (call.indexRows() + 2);
  }

  /** If each row reads all key blocks that it sees, and what rounding leaves as columns. */
  private long mostEntries() {
    BlockShape blocks = call.layer().blocks();
    long entries = 0;
    for (GpuSequence sequence : call.layer().sequences()) {
      long before = (long) sequence.keyTokens() - sequence.queryTokens();
      int rows = blocks.queryBlocks(sequence.queryTokens());
      for (int row = 0; row < rows; row++) {
        long visible = Math.min(before + (row + 1L) * blocks.queryRows(), sequence.keyTokens());
        entries += Math.ceilDiv(visible, blocks.keyColumns()) + blocks.keyColumns() / 2;
      }
    }
    return entries * call.heads().size();
  }

  private int rowsPerBlock() {
    return call.layer().blocks().queryRows() / stride();
  }
}
