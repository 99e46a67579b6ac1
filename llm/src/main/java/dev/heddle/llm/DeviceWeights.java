package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.GpuMatrix;
import java.util.List;

/**
 * All weights of a decoder in device memory.
 *
 * @param type of matrices and activations: float16 or bfloat16
 * @param embedding {@code [vocabulary][hidden]}
 * @param layers the layers, first to last
 * @param finalNorm before the output matrix
 * @param output {@code [vocabulary][hidden]}: the embedding itself where the two are tied
 * @param frequencies device address of float32 {@code [headDim / 2]}: each pair's angle at position
 *     1
 */
record DeviceWeights(
    ElementType type,
    GpuMatrix embedding,
    List<DeviceLayer> layers,
    DeviceNorm finalNorm,
    GpuMatrix output,
    long frequencies) {
  DeviceWeights {
    layers = List.copyOf(layers);
  }
}
