package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.DeviceMemoryException;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.GpuStream;
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

  /** Bytes of the matrices of such a model, with 16 bits a number; norms and biases are small. */
  static long bytes(ModelConfig config) {
    long hidden = config.hiddenSize();
    long perLayer =
        hidden
            * (2L * config.queryWidth()
                + 2L * config.keyValueWidth()
                + 3L * config.intermediateSize());
    long vocabularies = config.tiedEmbeddings() ? 1 : 2;
    return Short.BYTES
        * (config.attention().layers() * perLayer
            + vocabularies * config.vocabularySize() * hidden);
  }

  /**
   * Refuses weights that do not fit, before any is copied.
   *
   * @throws DeviceMemoryException with need and limit
   */
  static void requireMemory(ModelConfig config, GpuStream stream) {
    long free = stream.freeBytes();
    if (bytes(config) > free) {
      throw new DeviceMemoryException("the model", bytes(config), free);
    }
  }
}
