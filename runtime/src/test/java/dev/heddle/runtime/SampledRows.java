package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.kernels.AttentionCall;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Compares rows of a computed call with {@link RowOracle}: as a whole they may be at most twice as
 * wrong as the plain computation, and one rounding of the greatest output, for cases so small that
 * the plain one is exact by luck.
 *
 * @param most rows of each head that are compared; the first and the last are among them
 */
record SampledRows(AttentionCall call, List<BlockIndex> indices, int most) {
  /** What one head's rows, or all heads', are off by. */
  private record Errors(double own, double plain, double greatest) {
    Errors worse(Errors other) {
      return new Errors(
          Math.max(own, other.own),
          Math.max(plain, other.plain),
          Math.max(greatest, other.greatest));
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
            .mapToObj(head -> errors(name, head, seed, oracle))
            .reduce(new Errors(0, 0, 0), Errors::worse);
    double slack = RowOracle.roundoff(call.queries().type()) * worst.greatest();
    assertThat(worst.own())
        .as("output error of %s, where the plain computation's is %s", name, worst.plain())
        .isLessThanOrEqualTo(2 * worst.plain() + slack);
  }

  private Errors errors(String name, int head, long seed, RowOracle oracle) {
    HeadMatrix out = call.out().head(head);
    return queries(seed + head)
        .parallel()
        .mapToObj(query -> {
          RowOracle.Row row = oracle.row(head, query, indices.get(head));
          requireLogSumExp("%s, head %d, query %d".formatted(name, head, query), head, query, row);
          Errors errors = new Errors(0, 0, 0);
          for (int dim = 0; dim < out.headDim(); dim++) {
            double right = row.out()[dim];
            double own = Math.abs(out.get(query, dim) - right);
            errors =
                errors.worse(
                    new Errors(
                        Double.isNaN(own) ? Double.POSITIVE_INFINITY : own,
                        Math.abs(row.plain()[dim] - right),
                        Math.abs(right)));
          }
          return errors;
        })
        .reduce(new Errors(0, 0, 0), Errors::worse);
  }

  /**
   * A float32 score is a sum of headDim products, each partial sum rounded once, and the logarithm
   * passes its error on; the sum of weights and the logarithm add a few roundings of their own.
   */
  private void requireLogSumExp(String name, int head, int query, RowOracle.Row row) {
    if (call.wantsLogSumExp()) {
      long place = (long) head * call.shape().queryTokens() + query;
      double error = Math.abs(ElementType.FLOAT32.load(call.logSumExp(), place) - row.logSumExp());
      double allowed =
          0x1p-24 * (call.shape().headDim() * row.magnitude() + 8 * Math.abs(row.logSumExp()) + 64);
      assertThat(error).as("log-sum-exp of %s: %s", name, row.logSumExp()).isLessThan(allowed);
    }
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
