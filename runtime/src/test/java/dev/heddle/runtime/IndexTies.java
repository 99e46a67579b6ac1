package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.Options;
import dev.heddle.testkit.TestLayer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Compares the index that the device built of one head with the host's: they are equal, but where
 * scores in float64 lie within rounding of the cut-off.
 */
record IndexTies(TestLayer layer, int head, Options options) {
  /** A block's score sums headDim products of means in float32, in other orders here and there. */
  void assertBlocksEqual(String name, BlockIndex actual, BlockIndex expected) {
    for (int row = 0; row < expected.rows(); row++) {
      BitSet onlyOne = keys(actual, row);
      onlyOne.xor(keys(expected, row));
      if (onlyOne.isEmpty()) {
        continue;
      }
      int blocks = Math.ceilDiv(expected.visibleKeys(row), 64);
      double[] scores = new double[blocks];
      double magnitude = 0;
      for (int block = 0; block < blocks; block++) {
        double[] score = blockScore(row, 64 * block);
        scores[block] = score[0];
        magnitude = Math.max(magnitude, score[1]);
      }
      int kept = blockCount(expected, row);
      double[] sorted = scores.clone();
      Arrays.sort(sorted);
      double cutOff = sorted[Math.max(0, blocks - kept)];
      double tolerance = 2 * layer.shape().headDim() * 0x1p-24 * magnitude;
      int rowNumber = row;
      onlyOne.stream()
          .map(key -> key / 64)
          .distinct()
          .forEach(block ->
              assertThat(Math.abs(scores[block] - cutOff))
                  .as("%s, head %d, row %d: block %d", name, head, rowNumber, block)
                  .isLessThan(tolerance));
    }
  }

  /**
   * Every key in which the two differ lies, but for the rounding to blocks, on a column or an
   * offset whose sum is within rounding of the last that is kept. The device's index may have a row
   * for each half of a row of the host's.
   */
  void assertLinesEqual(String name, BlockIndex actual, BlockIndex expected) {
    int halves = expected.blocks().queryRows() / actual.blocks().queryRows();
    ProbeSums sums = null;
    for (int row = 0; row < expected.rows(); row++) {
      BitSet onlyOne = keys(actual, halves * row);
      for (int i = halves * row + 1; i < Math.min(halves * (row + 1), actual.rows()); i++) {
        onlyOne.or(keys(actual, i));
      }
      onlyOne.xor(keys(expected, row));
      if (onlyOne.isEmpty()) {
        continue;
      }
      sums = sums == null ? ProbeSums.of(this) : sums;
      BitSet columns = sums.doubtful(sums.columns(), count("verticals", "sink"));
      BitSet offsets = sums.doubtful(sums.offsets(), count("slashes", "local"));
      int end = expected.visibleKeys(row);
      int first = end - expected.queriesInRow(row);
      int[] unexplained =
          onlyOne.stream()
              .filter(key ->
                  !near(columns, key - 63, key + 63)
                      && !near(offsets, first - key - 63, end - 1 - key + 63))
              .toArray();
      assertThat(unexplained).as("%s, head %d, row %d", name, head, row).isEmpty();
    }
  }

  /** Softmax weights of the last queries, summed by column and by offset, in float64. */
  @SuppressWarnings("ArrayRecordComponent") // passed on, and never compared
  private record ProbeSums(double[] columns, double[] offsets, double tolerance) {
    static ProbeSums of(IndexTies ties) {
      AttentionShape shape = ties.layer.shape();
      HeadMatrix queries = ties.layer.queries().head(ties.head);
      HeadMatrix keys = ties.layer.keys().head(shape.keyValueHead(ties.head));
      int probes = Math.min(ties.count("probe-queries", "probe-queries"), shape.queryTokens());
      double[] columns = new double[shape.keyTokens()];
      double[] offsets = new double[shape.keyTokens()];
      for (int query = shape.queryTokens() - probes; query < shape.queryTokens(); query++) {
        int position = query + shape.firstQueryPosition();
        int probe = query;
        double[] scores =
            IntStream.rangeClosed(0, position)
                .parallel()
                .mapToDouble(key -> dot(queries, probe, keys, key) * ties.layer.softmaxScale())
                .toArray();
        double greatest = Arrays.stream(scores).max().orElseThrow();
        double sum = Arrays.stream(scores).map(score -> Math.exp(score - greatest)).sum();
        for (int key = 0; key <= position; key++) {
          columns[key] += Math.exp(scores[key] - greatest) / sum;
          offsets[position - key] += Math.exp(scores[key] - greatest) / sum;
        }
      }
      // Scores of a few tens, off by some roundings each, and sums of 64 weights.
      return new ProbeSums(columns, offsets, 64 * shape.headDim() * 0x1p-24);
    }

    /** Places whose sum is within rounding of the {@code kept}th. */
    BitSet doubtful(double[] sums, int kept) {
      double[] sorted = sums.clone();
      Arrays.sort(sorted);
      double cutOff = sorted[Math.max(0, sorted.length - kept)];
      BitSet places = new BitSet();
      for (int i = 0; i < sums.length; i++) {
        places.set(i, Math.abs(sums[i] - cutOff) <= tolerance * Math.max(cutOff, 1e-6));
      }
      return places;
    }

    private static double dot(HeadMatrix queries, int query, HeadMatrix keys, int key) {
      double sum = 0;
      for (int dim = 0; dim < keys.headDim(); dim++) {
        sum += (double) queries.get(query, dim) * keys.get(key, dim);
      }
      return sum;
    }
  }

  private int count(String option, String least) {
    return Math.max(value(option), value(least));
  }

  private int value(String option) {
    return (int) Objects.requireNonNull(options.toMap().get(option), option);
  }

  private static boolean near(BitSet places, int first, int last) {
    int next = places.nextSetBit(Math.max(0, first));
    return next >= 0 && next <= last;
  }

  private static BitSet keys(BlockIndex index, int row) {
    BitSet keys = new BitSet();
    for (int i = 0; i < index.blockCount(row); i++) {
      keys.set(index.blockStart(row, i), index.blockStart(row, i) + 64);
    }
    for (int i = 0; i < index.columnCount(row); i++) {
      keys.set(index.column(row, i));
    }
    keys.clear(index.visibleKeys(row), Math.max(keys.length(), index.visibleKeys(row) + 1));
    return keys;
  }

  private static int blockCount(BlockIndex index, int row) {
    return (int) keys(index, row).stream().map(key -> key / 64).distinct().count();
  }

  /** The score of a key block, and the sum of the sizes of what it sums. */
  private double[] blockScore(int row, int firstKey) {
    HeadMatrix queries = layer.queries().head(head);
    HeadMatrix keys = layer.keys().head(layer.shape().keyValueHead(head));
    double sum = 0;
    double size = 0;
    for (int dim = 0; dim < keys.headDim(); dim++) {
      double product = mean(queries, 128 * row, 128, dim) * mean(keys, firstKey, 64, dim);
      sum += product;
      size += Math.abs(product);
    }
    return new double[] {sum * layer.softmaxScale(), size * layer.softmaxScale()};
  }

  private static double mean(HeadMatrix matrix, int first, int count, int dim) {
    int end = Math.min(first + count, matrix.tokens());
    double sum = 0;
    for (int token = first; token < end; token++) {
      sum += matrix.get(token, dim);
    }
    return sum / (end - first);
  }
}
