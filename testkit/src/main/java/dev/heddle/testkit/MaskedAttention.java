package dev.heddle.testkit;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.HeadMatrix;

/**
 * Dense attention under the mask that an index means, in float64: every score is computed, those
 * that are not read become negative infinity, and the softmax runs over the whole row.
 */
final class MaskedAttention {
  private MaskedAttention() {}

  /** Output row of one query: {@code [headDim]}. */
  static double[] row(TestLayer layer, int head, int query, BlockIndex index) {
    int keyValueHead = layer.shape().keyValueHead(head);
    HeadMatrix keys = layer.keys().head(keyValueHead);
    HeadMatrix values = layer.values().head(keyValueHead);
    double[] weights = new double[layer.shape().keyTokens()];
    double greatest = Double.NEGATIVE_INFINITY;
    for (int key = 0; key < weights.length; key++) {
      weights[key] =
          index.attends(query, key)
              ? layer.softmaxScale() * dot(layer.queries().head(head), query, keys, key)
              : Double.NEGATIVE_INFINITY;
      greatest = Math.max(greatest, weights[key]);
    }
    double sum = 0;
    for (int key = 0; key < weights.length; key++) {
      weights[key] = Math.exp(weights[key] - greatest);
      sum += weights[key];
    }
    double[] out = new double[layer.shape().headDim()];
    for (int key = 0; key < weights.length; key++) {
      for (int dim = 0; dim < out.length; dim++) {
        out[dim] += weights[key] / sum * values.get(key, dim);
      }
    }
    return out;
  }

  private static double dot(HeadMatrix queries, int query, HeadMatrix keys, int key) {
    double sum = 0;
    for (int dim = 0; dim < queries.headDim(); dim++) {
      sum += (double) queries.get(query, dim) * keys.get(key, dim);
    }
    return sum;
  }
}
