package dev.heddle.kernels.reference;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;

/**
 * Attention in float64 from the definition: for each query the scores of the keys that the index
 * lists, their softmax, and the weighted sum of their values.
 */
final class ReferenceBackend implements AttentionBackend {
  static final String NAME = "reference";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void attend(AttentionCall call) {
    for (int head = 0; head < call.shape().queryHeads(); head++) {
      for (int query = 0; query < call.shape().queryTokens(); query++) {
        attendQuery(call, head, query);
      }
    }
  }

  @Override
  public void close() {
    // holds nothing
  }

  private static void attendQuery(AttentionCall call, int head, int query) {
    HeadMatrix keys = call.keys().head(call.shape().keyValueHead(head));
    HeadMatrix values = call.values().head(call.shape().keyValueHead(head));
    BlockIndex index = call.indices().get(head);
    int visible = query + call.shape().firstQueryPosition() + 1;
    double[] scores = new double[visible];
    double greatest = Double.NEGATIVE_INFINITY;
    for (int key = 0; key < visible; key++) {
      if (index.attends(query, key)) {
        scores[key] = call.softmaxScale() * dot(call.queries().head(head), query, keys, key);
        greatest = Math.max(greatest, scores[key]);
      }
    }
    double sum = 0;
    double[] out = new double[call.shape().headDim()];
    for (int key = 0; key < visible; key++) {
      if (index.attends(query, key)) {
        double weight = Math.exp(scores[key] - greatest);
        sum += weight;
        for (int dim = 0; dim < out.length; dim++) {
          out[dim] += weight * values.get(key, dim);
        }
      }
    }
    HeadMatrix target = call.out().head(head);
    for (int dim = 0; dim < out.length; dim++) {
      target.type().store(target.memory(), target.rowOffset(query) + dim, (float) (out[dim] / sum));
    }
    if (call.wantsLogSumExp()) {
      long row = (long) head * call.shape().queryTokens() + query;
      ElementType.FLOAT32.store(call.logSumExp(), row, (float) (greatest + Math.log(sum)));
    }
  }

  private static double dot(HeadMatrix queries, int query, HeadMatrix keys, int key) {
    double sum = 0;
    for (int dim = 0; dim < queries.headDim(); dim++) {
      sum += (double) queries.get(query, dim) * keys.get(key, dim);
    }
    return sum;
  }
}
