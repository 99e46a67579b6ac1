package dev.heddle.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.AttentionCases;
import dev.heddle.kernels.reference.ReferenceProvider;
import java.lang.foreign.MemorySegment;

/**
 * Attention by plain float32 loops, one query at a time: what a backend's errors are measured
 * against. A backend may err by at most twice as much as this.
 */
final class PlainAttention {
  /** Half the spacing of float32 numbers at 1. */
  private static final double ROUNDING = 0x1p-24;

  private PlainAttention() {}

  /**
   * Checks the results in {@code actual}'s memory against float64.
   *
   * <p>The greatest error may be twice that of the plain loops. To it come four roundings at the
   * magnitude of the greatest result: where a query reads one or two keys the plain loops are exact
   * by luck, while four operations (scale, weight, share, product) still round here.
   */
  static void requireTwiceAsGood(AttentionCall actual) {
    requireTwiceAsGood(actual, 4 * ROUNDING);
  }

  /**
   * The same with another allowance for roundings.
   *
   * @param roundings relative to the greatest result
   */
  static void requireTwiceAsGood(AttentionCall actual, double roundings) {
    AttentionCall exact = AttentionCases.again(actual, ElementType.FLOAT32, actual.indices());
    try (AttentionBackend reference = new ReferenceProvider().open(1)) {
      reference.attend(exact);
    }
    AttentionCall plain = AttentionCases.again(actual, actual.out().type(), actual.indices());
    attend(plain);
    double allowed =
        2 * greatestError(plain.out(), exact.out()) + roundings * greatest(exact.out());
    assertThat(greatestError(actual.out(), exact.out()))
        .as("error of out")
        .isLessThanOrEqualTo(allowed);
    HeadTensor exactSums = sums(exact);
    double allowedSums =
        2 * greatestError(sums(plain), exactSums) + roundings * greatest(exactSums);
    assertThat(greatestError(sums(actual), exactSums))
        .as("error of lse")
        .isLessThanOrEqualTo(allowedSums);
  }

  static double greatestError(HeadTensor actual, HeadTensor expected) {
    double greatest = 0;
    for (long i = 0; i < elements(expected); i++) {
      double error = Math.abs((double) load(actual, i) - load(expected, i));
      // A NaN on one side alone must not pass.
      greatest = Double.isNaN(error) ? Double.POSITIVE_INFINITY : Math.max(greatest, error);
    }
    return greatest;
  }

  /** The log-sum-exp of a call, one "dim" per query. */
  static HeadTensor sums(AttentionCall call) {
    MemorySegment memory = call.logSumExp();
    int heads = call.shape().queryHeads();
    return HeadTensor.contiguous(memory, ElementType.FLOAT32, heads, call.shape().queryTokens(), 1);
  }

  static float load(HeadTensor contiguous, long i) {
    return contiguous.type().load(contiguous.memory(), i);
  }

  static long elements(HeadTensor tensor) {
    return (long) tensor.heads() * tensor.tokens() * tensor.headDim();
  }

  private static double greatest(HeadTensor exact) {
    double greatest = 0;
    for (long i = 0; i < elements(exact); i++) {
      greatest = Math.max(greatest, Math.abs(load(exact, i)));
    }
    return greatest;
  }

  private static void attend(AttentionCall call) {
    for (int head = 0; head < call.shape().queryHeads(); head++) {
      for (int query = 0; query < call.shape().queryTokens(); query++) {
        attend(call, head, query);
      }
    }
  }

  private static void attend(AttentionCall call, int head, int query) {
    HeadMatrix keys = call.keys().head(call.shape().keyValueHead(head));
    HeadMatrix values = call.values().head(call.shape().keyValueHead(head));
    HeadMatrix queries = call.queries().head(head);
    BlockIndex index = call.indices().get(head);
    int visible = query + call.shape().firstQueryPosition() + 1;
    float[] scores = new float[visible];
    float greatest = Float.NEGATIVE_INFINITY;
    for (int key = 0; key < visible; key++) {
      float score = 0;
      for (int dim = 0; dim < queries.headDim(); dim++) {
        score += queries.get(query, dim) * keys.get(key, dim);
      }
      scores[key] =
          index.attends(query, key) ? score * call.softmaxScale() : Float.NEGATIVE_INFINITY;
      greatest = Math.max(greatest, scores[key]);
    }
    float sum = 0;
    float[] out = new float[queries.headDim()];
    for (int key = 0; key < visible; key++) {
      float weight = (float) Math.exp(scores[key] - greatest);
      sum += weight;
      for (int dim = 0; dim < out.length; dim++) {
        out[dim] += weight * values.get(key, dim);
      }
    }
    HeadMatrix target = call.out().head(head);
    for (int dim = 0; dim < out.length; dim++) {
      target.type().store(target.memory(), target.rowOffset(query) + dim, out[dim] / sum);
    }
    long row = (long) head * call.shape().queryTokens() + query;
    ElementType.FLOAT32.store(call.logSumExp(), row, greatest + (float) Math.log(sum));
  }
}
