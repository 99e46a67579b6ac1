package dev.heddle.kernels;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.kernels.reference.ReferenceProvider;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * How wrong attention may be: at most twice as wrong, against float64, as the plain computation in
 * the same element type. The plain one keeps scores, weights' sum and products in float32 and
 * rounds weights and outputs to the element type.
 */
public final class PlainTypedAttention {
  private PlainTypedAttention() {}

  /** What the reference backend writes for {@code call}, in float32, and its log-sum-exp. */
  public static AttentionCall reference(AttentionCall call) {
    AttentionShape shape = call.shape();
    AttentionCall expected =
        new AttentionCall(
            shape,
            call.queries(),
            call.keys(),
            call.values(),
            AttentionCases.zeros(
                ElementType.FLOAT32, shape.queryHeads(), shape.queryTokens(), shape.headDim()),
            Arena.ofAuto().allocate(4L * shape.queryHeads() * shape.queryTokens()),
            call.softmaxScale(),
            call.indices());
    try (AttentionBackend backend = new ReferenceProvider().open(1)) {
      backend.attend(expected);
    }
    return expected;
  }

  /** The greatest error of {@code call}'s output against {@code expected}'s. */
  public static double outputError(AttentionCall call, AttentionCall expected) {
    double worst = 0;
    for (int head = 0; head < call.shape().queryHeads(); head++) {
      HeadMatrix out = call.out().head(head);
      HeadMatrix right = expected.out().head(head);
      for (int query = 0; query < call.shape().queryTokens(); query++) {
        for (int dim = 0; dim < call.shape().headDim(); dim++) {
          double error = Math.abs((double) out.get(query, dim) - right.get(query, dim));
          worst = Double.isNaN(error) ? Double.POSITIVE_INFINITY : Math.max(worst, error);
        }
      }
    }
    return worst;
  }

  /** The greatest error of {@code call}'s log-sum-exp against {@code expected}'s. */
  public static double logSumExpError(AttentionCall call, AttentionCall expected) {
    double worst = 0;
    long rows = (long) call.shape().queryHeads() * call.shape().queryTokens();
    for (long row = 0; row < rows; row++) {
      double error =
          Math.abs(
              (double) ElementType.FLOAT32.load(call.logSumExp(), row)
                  - ElementType.FLOAT32.load(expected.logSumExp(), row));
      worst = Double.isNaN(error) ? Double.POSITIVE_INFINITY : Math.max(worst, error);
    }
    return worst;
  }

  /**
   * The error that {@code call}'s output may have: twice that of the plain computation, and one
   * rounding of the element type at the greatest output, for cases so small that the plain one is
   * exact by luck.
   */
  public static double allowedOutputError(AttentionCall call, AttentionCall expected) {
    double[] plain = new double[call.shape().queryHeads()];
    double[] greatest = new double[call.shape().queryHeads()];
    IntStream.range(0, call.shape().queryHeads())
        .parallel()
        .forEach(head -> {
          float[] out = new float[call.shape().headDim()];
          for (int query = 0; query < call.shape().queryTokens(); query++) {
            attendQuery(call, head, query, out);
            for (int dim = 0; dim < out.length; dim++) {
              double right = expected.out().head(head).get(query, dim);
              plain[head] = Math.max(plain[head], Math.abs(out[dim] - right));
              greatest[head] = Math.max(greatest[head], Math.abs(right));
            }
          }
        });
    return 2 * Arrays.stream(plain).max().orElseThrow()
        + call.queries().type().unitRoundoff() * Arrays.stream(greatest).max().orElseThrow();
  }

  /**
   * The error that a float32 log-sum-exp may have: each score is a float32 sum of headDim products
   * whose error stays below headDim roundoffs of the greatest |q|·|k|, here bounded by scores of at
   * most 32 before they are scaled.
   */
  public static double allowedLogSumExpError(AttentionCall call) {
    return 32 * call.shape().headDim() * ElementType.FLOAT32.unitRoundoff();
  }

  private static void attendQuery(AttentionCall call, int head, int query, float[] out) {
    ElementType type = call.queries().type();
    HeadMatrix keys = call.keys().head(call.shape().keyValueHead(head));
    HeadMatrix values = call.values().head(call.shape().keyValueHead(head));
    HeadMatrix queries = call.queries().head(head);
    BlockIndex index = call.indices().get(head);
    int visible = query + call.shape().firstQueryPosition() + 1;
    float[] scores = new float[visible];
    float greatest = Float.NEGATIVE_INFINITY;
    for (int key = 0; key < visible; key++) {
      if (index.attends(query, key)) {
        float sum = 0;
        for (int dim = 0; dim < out.length; dim++) {
          sum += queries.get(query, dim) * keys.get(key, dim);
        }
        scores[key] = sum * call.softmaxScale();
        greatest = Math.max(greatest, scores[key]);
      }
    }
    float sum = 0;
    Arrays.fill(out, 0);
    for (int key = 0; key < visible; key++) {
      if (index.attends(query, key)) {
        float weight = (float) Math.exp(scores[key] - greatest);
        sum += weight;
        float rounded = type.round(weight);
        for (int dim = 0; dim < out.length; dim++) {
          out[dim] += rounded * values.get(key, dim);
        }
      }
    }
    for (int dim = 0; dim < out.length; dim++) {
      out[dim] = type.round(out[dim] / sum);
    }
  }
}
