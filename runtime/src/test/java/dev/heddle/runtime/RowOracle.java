package dev.heddle.runtime;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.kernels.AttentionCall;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * Single rows of a call's attention, from the formula in float64, and what the plain computation in
 * the element type makes of them: scores, the weights' sum and products in float32, weights and
 * outputs rounded to the element type. Safe for use by several threads.
 */
final class RowOracle {
  private final AttentionCall call;
  private final Map<Integer, float[]> keys = new ConcurrentHashMap<>();
  private final Map<Integer, float[]> values = new ConcurrentHashMap<>();

  RowOracle(AttentionCall call) {
    this.call = call;
  }

  /**
   * One row.
   *
   * @param out in float64
   * @param logSumExp in float64
   * @param plain the output of the plain computation
   * @param magnitude the greatest Σ|q·k| of a score, in units of the score
   * @param greatestScore the greatest |score|
   */
  @SuppressWarnings("ArrayRecordComponent") // passed on, and never compared
  record Row(
      double[] out, double logSumExp, float[] plain, double magnitude, double greatestScore) {}

  /** The row of query {@code query} of head {@code head}, reading what {@code index} lists. */
  Row row(int head, int query, BlockIndex index) {
    int[] listed = listed(query, index);
    float[] q = new float[call.shape().headDim()];
    call.queries().head(head).copyRows(query, 1, q, 0);
    int keyValueHead = call.shape().keyValueHead(head);
    float[] k = keys.computeIfAbsent(keyValueHead, h -> load(call.keys().head(h)));
    float[] v = values.computeIfAbsent(keyValueHead, h -> load(call.values().head(h)));
    return new Weighing(call, q, listed).row(k, v);
  }

  private int[] listed(int query, BlockIndex index) {
    int last = query + call.shape().firstQueryPosition();
    int row = query / index.blocks().queryRows();
    IntStream inBlocks =
        IntStream.range(0, index.blockCount(row))
            .map(i -> index.blockStart(row, i))
            .flatMap(start -> IntStream.range(start, start + index.blocks().keyColumns()));
    IntStream columns = IntStream.range(0, index.columnCount(row)).map(i -> index.column(row, i));
    return IntStream.concat(inBlocks, columns).filter(key -> key <= last).toArray();
  }

  private static float[] load(HeadMatrix head) {
    float[] numbers = new float[Math.multiplyExact(head.tokens(), head.headDim())];
    head.copyRows(0, head.tokens(), numbers, 0);
    return numbers;
  }

  /** One row's softmax over the keys {@code listed}. */
  @SuppressWarnings("ArrayRecordComponent") // passed on, and never compared
  private record Weighing(AttentionCall call, float[] q, int[] listed) {
    Row row(float[] keys, float[] values) {
      int headDim = q.length;
      double[] scores = new double[listed.length];
      float[] plainScores = new float[listed.length];
      double magnitude = 0;
      for (int i = 0; i < listed.length; i++) {
        int first = listed[i] * headDim;
        double sum = 0;
        double size = 0;
        float plain = 0;
        for (int dim = 0; dim < headDim; dim++) {
          double product = (double) q[dim] * keys[first + dim];
          sum += product;
          size += Math.abs(product);
          plain += q[dim] * keys[first + dim];
        }
        scores[i] = sum * call.softmaxScale();
        plainScores[i] = plain * call.softmaxScale();
        magnitude = Math.max(magnitude, size * call.softmaxScale());
      }
      double greatest = greatest(scores);
      double weights = 0;
      double[] out = new double[headDim];
      for (int i = 0; i < listed.length; i++) {
        double weight = Math.exp(scores[i] - greatest);
        weights += weight;
        for (int dim = 0; dim < headDim; dim++) {
          out[dim] += weight * values[listed[i] * headDim + dim];
        }
      }
      for (int dim = 0; dim < headDim; dim++) {
        out[dim] /= weights;
      }
      return new Row(
          out,
          greatest + Math.log(weights),
          plain(plainScores, values),
          magnitude,
          Math.max(greatest, -least(scores)));
    }

    private float[] plain(float[] scores, float[] values) {
      ElementType type = call.queries().type();
      float greatest = Float.NEGATIVE_INFINITY;
      for (float score : scores) {
        greatest = Math.max(greatest, score);
      }
      float[] out = new float[q.length];
      float weights = 0;
      for (int i = 0; i < scores.length; i++) {
        float weight = (float) Math.exp(scores[i] - greatest);
        weights += weight;
        float rounded = type.round(weight);
        for (int dim = 0; dim < out.length; dim++) {
          out[dim] += rounded * values[listed[i] * out.length + dim];
        }
      }
      for (int dim = 0; dim < out.length; dim++) {
        out[dim] = type.round(out[dim] / weights);
      }
      return out;
    }

    private static double least(double[] scores) {
      return Arrays.stream(scores).min().orElseThrow();
    }

    private static double greatest(double[] scores) {
      double greatest = Double.NEGATIVE_INFINITY;
      for (double score : scores) {
        greatest = Math.max(greatest, score);
      }
      return greatest;
    }
  }
}
