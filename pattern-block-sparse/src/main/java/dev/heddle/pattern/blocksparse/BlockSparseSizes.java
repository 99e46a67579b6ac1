package dev.heddle.pattern.blocksparse;

import dev.heddle.api.GpuCall;

/** How large the device arrays of one call are, in elements. */
record BlockSparseSizes(GpuCall call) {
  /** Scores are made and used a pass of rows at a time; one pass takes about this much memory. */
  private static final long SCORE_BYTES_PER_PASS = 256L << 20;

  /** Rows of a pass are scored in groups of this many. */
  static final int ROWS_PER_GROUP = 128;

  /** The most blocks on the diagonal of a row of 128 queries: they may start inside a block. */
  private static final int MOST_DIAGONAL_BLOCKS = 3;

  /** Single columns that the rounding of blocks can leave in a row. */
  private static final long MOST_COLUMNS_PER_ROW = 31;

  int units() {
    return call.layer().sequences().size() * call.heads().size();
  }

  int mostQueryBlocks() {
    return call.layer().mostQueryBlocks();
  }

  /** Rounded up, so that every row of scores starts at a multiple of 16 bytes. */
  int mostKeyBlocks() {
    int blocks = call.layer().blocks().keyBlocks(call.layer().mostKeyTokens());
    return Math.ceilDiv(blocks, 4) * 4;
  }

  long meanQueries() {
    return (long) units() * mostQueryBlocks() * headDim();
  }

  long meanKeys() {
    return (long) call.layer().sequences().size()
        * call.layer().keys().heads()
        * mostKeyBlocks()
        * headDim();
  }

  /** Rows that are scored per pass: a multiple of {@link #ROWS_PER_GROUP}. */
  int passRows() {
    long bytesPerGroup = (long) units() * ROWS_PER_GROUP * mostKeyBlocks() * Float.BYTES;
    int groups = Math.ceilDiv(mostQueryBlocks(), ROWS_PER_GROUP);
    return ROWS_PER_GROUP * Math.clamp(SCORE_BYTES_PER_PASS / bytesPerGroup, 1, groups);
  }

  long scores() {
    return (long) units() * passRows() * mostKeyBlocks();
  }

  long blockEntries() {
    long mostPerRow =
        call.heads().stream()
            .map(head -> head.options())
            .mapToLong(options ->
                Math.max(
                    options.get(BlockSparsePattern.BLOCKS),
                    options.get(BlockSparsePattern.SINK_BLOCKS) + (long) MOST_DIAGONAL_BLOCKS))
            .max()
            .orElseThrow();
    return call.indexRows() * Math.min(mostKeyBlocks(), mostPerRow);
  }

  long columnEntries() {
    return call.indexRows() * MOST_COLUMNS_PER_ROW;
  }

  long bytes() {
    return Float.BYTES * (meanQueries() + meanKeys() + scores())
        + Integer.BYTES * (blockEntries() + columnEntries())
        + 2 * Long.BYTES * (call.indexRows() + 1);
  }

  private int headDim() {
    return call.layer().queries().headDim();
  }
}
