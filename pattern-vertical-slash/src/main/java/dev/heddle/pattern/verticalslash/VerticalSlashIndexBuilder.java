package dev.heddle.pattern.verticalslash;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.BlockShape;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.TopScores;
import java.util.Arrays;

/**
 * Lists the keys {@code j} that some query of each query block requires, where the query at
 * position {@code p} requires {@code j} if column {@code j} or offset {@code p - j} is kept.
 *
 * <p>A query block at positions {@code P} to {@code Q} requires of the kept offsets {@code a} to
 * {@code b} the keys {@code P - b} to {@code Q - a}: the span of a parallelogram.
 */
record VerticalSlashIndexBuilder(
    int verticals, int slashes, int probeQueries, int sink, int local) {
  BlockIndex build(HeadInputs head) {
    AttentionShape shape = head.shape();
    if (keepsAll(shape.keyTokens())) {
      return BlockIndex.dense(shape, head.blocks());
    }
    ProbeAttention attention = ProbeAttention.of(head, Math.min(probeQueries, shape.queryTokens()));
    int[] columns = top(attention.byColumn(), verticals, sink);
    int[] offsets = top(attention.byOffset(), slashes, local);
    return list(shape, head.blocks(), columns, offsets);
  }

  /** Whether every query keeps every key of so many. */
  boolean keepsAll(int keyTokens) {
    return Math.max(verticals, sink) >= keyTokens
        || Math.max(slashes, local) >= keyTokens
        || (long) sink + local >= keyTokens;
  }

  /** The places of the greatest sums, in ascending order, the first {@code forced} among them. */
  private static int[] top(float[] sums, int count, int forced) {
    Arrays.fill(sums, 0, forced, Float.POSITIVE_INFINITY);
    return TopScores.select(sums, sums.length, Math.max(count, forced));
  }

  /** Lists what the kept columns and offsets, both in ascending order, require. */
  static BlockIndex list(AttentionShape shape, BlockShape blocks, int[] columns, int[] offsets) {
    BlockIndexBuilder index = BlockIndex.builder(shape, blocks);
    int queryRows = blocks.queryRows();
    Runs columnRuns = Runs.join(columns, 1);
    // Parallelograms of offsets at most queryRows apart touch in every full query block.
    Runs offsetRuns = Runs.join(offsets, queryRows);
    int fullRows = shape.queryTokens() / queryRows;
    for (int row = 0; row < fullRows; row++) {
      addSlashes(index, offsetRuns);
      addColumns(index, columnRuns);
      index.endRow();
    }
    int rest = shape.queryTokens() % queryRows;
    if (rest > 0) {
      addSlashes(index, Runs.join(offsets, rest));
      addColumns(index, columnRuns);
      index.endRow();
    }
    return index.build();
  }

  /** From the greatest offset down, so that keys come in ascending order and need no sorting. */
  private static void addSlashes(BlockIndexBuilder index, Runs offsets) {
    long firstPosition = index.firstPosition();
    long endPosition = index.visibleKeys();
    for (int run = offsets.count() - 1; run >= 0; run--) {
      index.addRange(firstPosition - offsets.last(run), endPosition - offsets.first(run));
    }
  }

  private static void addColumns(BlockIndexBuilder index, Runs columns) {
    for (int run = 0; run < columns.count(); run++) {
      index.addRange(columns.first(run), columns.last(run) + 1L);
    }
  }
}
