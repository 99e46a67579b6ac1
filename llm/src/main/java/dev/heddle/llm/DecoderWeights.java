package dev.heddle.llm;

import dev.heddle.kernels.MatrixProducts.Weight;
import java.util.List;

/**
 * All weights of a decoder. Matrices stay in the mapped files; norms and biases are copied.
 *
 * @param embedding {@code [vocabulary][hidden]}: a row per token id
 * @param layers the layers, first to last
 * @param finalNorm before the output matrix
 * @param output {@code [vocabulary][hidden]}: the embedding itself where the two are tied
 */
record DecoderWeights(
    Weight embedding, List<LayerWeights> layers, RmsNorm finalNorm, Weight output) {
  DecoderWeights {
    layers = List.copyOf(layers);
  }
}
