package dev.heddle.testkit;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import java.util.List;

/**
 * How wrong attention may be: at most twice as wrong, against dense masked attention in float64, as
 * the plain computation in the same element type. The plain one keeps scores, sums and products in
 * float32 and rounds weights and outputs to the element type.
 */
record NumericalRule(TestLayer layer, List<BlockIndex> indices) {
  /**
   * Asserts that every output number keeps the rule.
   *
   * @param out what was computed, of the layer's element type
   * @param description of the input, for the failure
   */
  void assertKept(HeadTensor out, String description) {
    Worst worst = new Worst();
    double plainError = 0;
    double greatest = 0;
    for (int head = 0; head < out.heads(); head++) {
      for (int query = 0; query < out.tokens(); query++) {
        double[] right = MaskedAttention.row(layer, head, query, indices.get(head));
        float[] plain = plainRow(head, query);
        for (int dim = 0; dim < right.length; dim++) {
          plainError = Math.max(plainError, Math.abs(plain[dim] - right[dim]));
          greatest = Math.max(greatest, Math.abs(right[dim]));
          worst.note(Math.abs(out.head(head).get(query, dim) - right[dim]), head, query, dim);
        }
      }
    }
    // One rounding more, for cases so small that the plain computation is exact by luck.
    double allowed = 2 * plainError + out.type().unitRoundoff() * greatest;
    if (!(worst.error <= allowed)) {
      throw new AssertionError(
          "attention is off by %.3g at head %d, query %d, dim %d from dense attention under the index's mask; %.3g is allowed, twice the error of the plain computation: %s"
              .formatted(worst.error, worst.head, worst.query, worst.dim, allowed, description));
    }
  }

  /** The greatest error and where it is; a NaN is greater than all. */
  private static final class Worst {
    double error;
    int head;
    int query;
    int dim;

    void note(double found, int head, int query, int dim) {
      if (Double.compare(found, error) > 0) {
        this.error = found;
        this.head = head;
        this.query = query;
        this.dim = dim;
      }
    }
  }

  private float[] plainRow(int head, int query) {
    int keyValueHead = layer.shape().keyValueHead(head);
    HeadMatrix keys = layer.keys().head(keyValueHead);
    HeadMatrix values = layer.values().head(keyValueHead);
    ElementType type = values.type();
    float[] scores = scores(layer.queries().head(head), query, keys, indices.get(head));
    float greatest = Float.NEGATIVE_INFINITY;
    for (float score : scores) {
      greatest = Math.max(greatest, score);
    }
    float[] out = new float[layer.shape().headDim()];
    float sum = 0;
    for (int key = 0; key < scores.length; key++) {
      float weight = (float) Math.exp(scores[key] - greatest);
      sum += weight;
      float rounded = type.round(weight);
      for (int dim = 0; dim < out.length && weight > 0; dim++) {
        out[dim] += rounded * values.get(key, dim);
      }
    }
    for (int dim = 0; dim < out.length; dim++) {
      out[dim] = type.round(out[dim] / sum);
    }
    return out;
  }

  /** Negative infinity where a key is not read. */
  private float[] scores(HeadMatrix queries, int query, HeadMatrix keys, BlockIndex index) {
    float[] scores = new float[query + layer.shape().firstQueryPosition() + 1];
    for (int key = 0; key < scores.length; key++) {
      float score = Float.NEGATIVE_INFINITY;
      if (index.attends(query, key)) {
        score = 0;
        for (int dim = 0; dim < keys.headDim(); dim++) {
          score += queries.get(query, dim) * keys.get(key, dim);
        }
        score *= layer.softmaxScale();
      }
      scores[key] = score;
    }
    return scores;
  }
}
