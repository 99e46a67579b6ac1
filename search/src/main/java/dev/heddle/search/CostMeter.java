package dev.heddle.search;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Options;
import dev.heddle.runtime.PatternFailedException;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.DoubleSupplier;

/** Measures what rows, blocks, columns and index building cost on this machine, on one head. */
final class CostMeter {
  /** Each thing is done for so long, so that the JIT compiler has long finished. */
  private static final long NANOS = 500_000_000;

  private static final int FEWEST_RUNS = 10;
  private static final int TOKENS_OF_ALL_COPIES = 1 << 16;
  private static final int MOST_COPIES = 64;

  private static final double SPARSE = 0.5;
  private static final double SMALLEST = 1e-3;
  private static final int FEW_BLOCKS = 3;
  private static final int MANY_BLOCKS = 15;
  private static final int COLUMNS = 768;

  private final HeadInputs head;
  private final HeadTimer timer;

  CostMeter(HeadInputs head, HeadTimer timer) {
    this.head = head;
    this.timer = timer;
  }

  /** Measures. The first of each pattern's candidates stands for its index building. */
  KernelCosts measure(List<Candidate> candidates) {
    SortedMap<String, Double> perToken = new TreeMap<>();
    for (Candidate candidate : candidates) {
      String name = candidate.pattern().name();
      if (!perToken.containsKey(name)) {
        perToken.put(name, indexNanosPerToken(candidate));
      }
    }
    BlockIndex few = index(FEW_BLOCKS, 0);
    BlockIndex many = index(MANY_BLOCKS, 0);
    BlockIndex columns = index(FEW_BLOCKS, COLUMNS);
    attentionNanos(columns); // warms all of it up
    double fewNanos = attentionNanos(few);
    double manyNanos = attentionNanos(many);
    double columnsNanos = attentionNanos(columns);
    double blockNanos = Math.max(0, manyNanos - fewNanos) / (blocks(many) - blocks(few));
    double columnNanos =
        Math.max(0, columnsNanos - fewNanos - (blocks(columns) - blocks(few)) * blockNanos)
            / Math.max(1, columns(columns) - columns(few));
    double rowNanos = Math.max(0, fewNanos - blocks(few) * blockNanos) / few.rows();
    return new KernelCosts(
        KernelCosts.rounded(rowNanos),
        KernelCosts.rounded(blockNanos),
        KernelCosts.rounded(columnNanos),
        perToken);
  }

  private double indexNanosPerToken(Candidate candidate) {
    try {
      Candidate sparse = sparse(candidate);
      double nanos = fastest(() -> timer.indexNanos(sparse, copies(head)));
      return KernelCosts.rounded(nanos / head.shape().queryTokens());
    } catch (PatternFailedException _) {
      return 0; // the user is told when a head is tried
    }
  }

  /** {@code candidate} made so small that it is not simply dense at this length. */
  private Candidate sparse(Candidate candidate) {
    Candidate smaller = candidate;
    for (double factor = 1; factor > SMALLEST; factor /= 2) {
      Options options = candidate.pattern().resized(candidate.options(), factor);
      smaller = new Candidate(candidate.pattern(), options);
      if (IndexBuilding.index(smaller, head).density() < SPARSE) {
        break;
      }
    }
    return smaller;
  }

  /** Every row lists so many blocks up to the diagonal, and every other key of the first ones. */
  private BlockIndex index(int blocks, int columns) {
    AttentionShape shape = shape(head, copies(head));
    BlockIndexBuilder builder = BlockIndex.builder(shape, head.blocks());
    for (int row = 0; row < head.blocks().queryBlocks(shape.queryTokens()); row++) {
      long end = builder.visibleKeys();
      long start = Math.max(0, end - (long) blocks * head.blocks().keyColumns());
      for (int column = 0; column < columns; column++) {
        if (4L * column < start) {
          builder.addRange(4L * column, 4L * column + 1);
        }
      }
      builder.addRange(start, end);
      builder.endRow();
    }
    return builder.build();
  }

  private static long blocks(BlockIndex index) {
    long count = 0;
    for (int row = 0; row < index.rows(); row++) {
      count += index.blockCount(row);
    }
    return count;
  }

  private static long columns(BlockIndex index) {
    long count = 0;
    for (int row = 0; row < index.rows(); row++) {
      count += index.columnCount(row);
    }
    return count;
  }

  /** Time for one head in a call of many, so that what a call costs by itself is no head's cost. */
  private double attentionNanos(BlockIndex index) {
    return fastest(() -> timer.attentionNanos(index));
  }

  private static int copies(HeadInputs head) {
    return Math.clamp(TOKENS_OF_ALL_COPIES / head.shape().queryTokens(), 1, MOST_COPIES);
  }

  private static AttentionShape shape(HeadInputs head, int copies) {
    int tokens = head.shape().queryTokens();
    return new AttentionShape(copies, 1, tokens, tokens, head.shape().headDim());
  }

  /** What {@code copies} query heads of one key/value head read densely. */
  static BlockIndex denseCopies(HeadInputs head, int copies) {
    return BlockIndex.dense(shape(head, copies), head.blocks());
  }

  private static double fastest(DoubleSupplier nanos) {
    double least = Double.POSITIVE_INFINITY;
    long begin = System.nanoTime();
    for (int run = 0; run < FEWEST_RUNS || System.nanoTime() - begin < NANOS; run++) {
      least = Math.min(least, nanos.getAsDouble());
    }
    return least;
  }
}
