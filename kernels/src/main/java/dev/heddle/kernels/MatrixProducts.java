package dev.heddle.kernels;

import dev.heddle.api.ElementType;
import java.lang.foreign.MemorySegment;

/**
 * Products of activations with a weight matrix, for models that run on the CPU beside the
 * attention.
 *
 * <p>Safe for use by several threads, each with its own output memory.
 */
public interface MatrixProducts {
  /**
   * Computes {@code out[t][o] = Σ_i in[t][i] · weight[o][i]} for all tokens {@code t}, in float32.
   *
   * @param in float32 {@code [tokens][inputs]}, contiguous
   * @param weight the matrix as model files store it
   * @param out receives float32 {@code [tokens][weight.outputs()]}, contiguous; must not overlap
   *     {@code in}
   */
  void multiply(MemorySegment in, int tokens, Weight weight, MemorySegment out);

  /**
   * A weight matrix {@code [outputs][inputs]}, contiguous.
   *
   * @param memory the memory, owned by the caller
   * @param type how each element is stored
   */
  record Weight(MemorySegment memory, ElementType type, int outputs, int inputs) {}
}
