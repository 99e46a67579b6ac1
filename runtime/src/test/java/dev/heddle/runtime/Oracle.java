package dev.heddle.runtime;

import dev.heddle.api.HeadMatrix;

/**
 * Attention of one head that reads the keys below {@code keys}, from the formula: {@code Σ
 * softmax(q·k / √headDim) v}.
 */
record Oracle(Tensors tensors, int head, int keys) {
  double[] row(int query) {
    HeadMatrix queries = tensors.q().head(head);
    int keyValueHead = head / (tensors.q().heads() / tensors.k().heads());
    HeadMatrix keyRows = tensors.k().head(keyValueHead);
    HeadMatrix values = tensors.v().head(keyValueHead);
    float scale = (float) (1 / Math.sqrt(queries.headDim()));
    int position = query + tensors.k().tokens() - tensors.q().tokens();
    double[] out = new double[queries.headDim()];
    double sum = 0;
    for (int key = 0; key <= position && key < keys; key++) {
      double score = 0;
      for (int dim = 0; dim < out.length; dim++) {
        score += (double) queries.get(query, dim) * keyRows.get(key, dim);
      }
      double weight = Math.exp(scale * score); // small numbers: no need to subtract the greatest
      sum += weight;
      for (int dim = 0; dim < out.length; dim++) {
        out[dim] += weight * values.get(key, dim);
      }
    }
    for (int dim = 0; dim < out.length; dim++) {
      out[dim] /= sum;
    }
    return out;
  }
}
