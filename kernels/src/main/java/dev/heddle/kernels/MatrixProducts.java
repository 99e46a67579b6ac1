package dev.heddle.kernels;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import java.lang.foreign.MemorySegment;

/**
 * Products of activations with a weight matrix, for models that run on the CPU beside the
 * attention. Opened by {@link Backends#openMatrixProducts}.
 *
 * <p>Safe for use by several threads, each with its own output memory.
 */
public interface MatrixProducts extends AutoCloseable {
  /**
   * Computes {@code out[t][o] = Σ_i in[t][i] · weight[o][i]} for all tokens {@code t}, in float32.
   *
   * @param in float32 {@code [tokens][weight.inputs()]}, contiguous; only read
   * @param tokens rows of {@code in} and {@code out}, at least 1
   * @param weight the matrix as model files store it; only read
   * @param out receives float32 {@code [tokens][weight.outputs()]}, contiguous; must not overlap
   *     {@code in}
   * @throws InvalidInputException if a segment is too small, before anything is written
   * @throws IllegalStateException after {@link #close}
   */
  void multiply(MemorySegment in, int tokens, Weight weight, MemorySegment out);

  /** Frees threads and memory. Calls after this fail. */
  @Override
  void close();

  /**
   * A weight matrix {@code [outputs][inputs]}, contiguous from the start of {@code memory}.
   *
   * @param memory the memory, owned by the caller; it need not be aligned
   * @param type how each element is stored
   * @param outputs rows: numbers per token of the product
   * @param inputs columns: numbers per token of the activations
   */
  record Weight(MemorySegment memory, ElementType type, int outputs, int inputs) {
    /**
     * Checks that the matrix lies inside {@code memory}.
     *
     * @throws InvalidInputException if it does not, or if a size is below 1
     */
    public Weight {
      if (outputs < 1 || inputs < 1) {
        throw new InvalidInputException(
            "a weight matrix has at least 1 output and 1 input, not %d and %d"
                .formatted(outputs, inputs));
      }
      requireElements("the weight", memory, type, (long) outputs * inputs);
    }

    /**
     * Checks that the operands of a product with this matrix are large enough.
     *
     * @throws InvalidInputException naming the one that is not
     */
    public void requireOperands(MemorySegment in, int tokens, MemorySegment out) {
      if (tokens < 1) {
        throw new InvalidInputException("tokens must be at least 1, but is " + tokens);
      }
      requireElements("in", in, ElementType.FLOAT32, (long) tokens * inputs);
      requireElements("out", out, ElementType.FLOAT32, (long) tokens * outputs);
    }

    private static void requireElements(
        String name, MemorySegment memory, ElementType type, long elements) {
      if (memory.byteSize() / type.bytes() < elements) {
        throw new InvalidInputException(
            "%s needs %d elements of type %s, but its memory holds %d"
                .formatted(name, elements, type, memory.byteSize() / type.bytes()));
      }
    }
  }
}
