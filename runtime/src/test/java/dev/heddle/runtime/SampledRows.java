package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.kernels.AttentionCall;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Compares rows of a computed call with {@link RowOracle}: as a whole they may be at most twice as
 * wrong as the plain computation, and, for cases so small that the plain one is right by luck, by
 * what one rounding of the greatest output and one of the greatest score (to float32; the
 * exponential turns it into a factor) make of the greatest output.
 *
 * @param most rows of each head that are compared; the first and the last are among them
 */
record SampledRows(AttentionCall call, List<BlockIndex> indices, int most) {
  /**
   * What one row is off by, or many rows.
   *
   * @param complaints log-sum-exps that are wrong
   */
  private record Errors(
      double own, double plain, double greatest, double score, List<String> complaints) {
    static final Errors NONE = new Errors(0, 0, 0, 0, List.of());

    Errors worse(Errors other) {
      return new Errors(
          Math.max(own, other.own),
          Math.max(plain, other.plain),
          Math.max(greatest, other.greatest),
          Math.max(score, other.score),
          Stream.concat(complaints.stream(), other.complaints.stream()).limit(3).toList());
    }
  }

  /**
   * Fails with {@code name}, the head and the query of what is wrong.
   *
   * @param seed chooses the rows
   */
  void assertRight(String name, long seed) {
    RowOracle oracle = new RowOracle(call);
    Errors worst =
        IntStream.range(0, call.shape().queryHeads())
            .parallel()
            .mapToObj(head -> errors(head, seed, oracle))
            .reduce(Errors.NONE, Errors::worse);
    double slack =
        (call.queries().type().unitRoundoff() + 0x1p-24 * worst.score()) * worst.greatest();
    assertThat(worst.own())
        .as("output error of %s, where the plain computation's is %s", name, worst.plain())
        .isLessThanOrEqualTo(2 * worst.plain() + slack);
    assertThat(worst.complaints()).as("log-sum-exps of " + name).isEmpty();
  }

  private Errors errors(int head, long seed, RowOracle oracle) {
    return queries(seed + head)
        .parallel()
        .mapToObj(query -> errors(head, query, oracle.row(head, query, indices.get(head))))
        .reduce(Errors.NONE, Errors::worse);
  }

  private Errors errors(int head, int query, RowOracle.Row row) {
    HeadMatrix out = call.out().head(head);
    double own = 0;
    double plain = 0;
    double greatest = 0;
    for (int dim = 0; dim < out.headDim(); dim++) {
      double right = row.out()[dim];
      double error = Math.abs(out.get(query, dim) - right);
      own = Math.max(own, Double.isNaN(error) ? Double.POSITIVE_INFINITY : error);
      plain = Math.max(plain, Math.abs(row.plain()[dim] - right));
      greatest = Math.max(greatest, Math.abs(right));
    }
    return new Errors(
        own, plain, greatest, row.greatestScore(), logSumExpComplaint(head, query, row));
  }

  /**
   * A float32 score is a sum of headDim products, each partial sum rounded once, and the logarithm
   * passes its error on; the sum of weights and the logarithm add a few roundings of their own.
   */
  private List<String> logSumExpComplaint(int head, int query, RowOracle.Row row) {
    if (!call.wantsLogSumExp()) {
      return List.of();
    }
    long place = (long) head * call.shape().queryTokens() + query;
    float own = ElementType.FLOAT32.load(call.logSumExp(), place);
    double allowed =
        0x1p-24 * (call.shape().headDim() * row.magnitude() + 8 * Math.abs(row.logSumExp()) + 64);
    return Math.abs(own - row.logSumExp()) <= allowed
        ? List.of()
        : List.of(
            "head %d, query %d: %s instead of %s, allowed error %s"
                .formatted(head, query, own, row.logSumExp(), allowed));
  }

  private IntStream queries(long seed) {
    int tokens = call.shape().queryTokens();
    if (tokens <= most) {
      return IntStream.range(0, tokens);
    }
    Random random = new Random(seed);
    return IntStream.concat(IntStream.of(0, tokens - 1), random.ints(most - 2L, 0, tokens))
        .distinct();
  }
}
