package dev.heddle.testkit;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** How the heads of a test tensor lie in memory. */
public enum Layout {
  /** {@code [head][token][dim]} without gaps. */
  CONTIGUOUS {
    @Override
    public HeadTensor allocate(ElementType type, int heads, int tokens, int headDim) {
      return HeadTensor.contiguous(
          memory(type, (long) heads * tokens * headDim), type, heads, tokens, headDim);
    }
  },

  /** {@code [token][head][dim]}, as a projection leaves it. */
  INTERLEAVED {
    @Override
    public HeadTensor allocate(ElementType type, int heads, int tokens, int headDim) {
      return HeadTensor.interleaved(
          memory(type, (long) heads * tokens * headDim), type, heads, tokens, headDim);
    }
  },

  /**
   * {@code [head][token][dim]} with gaps after every row and every head, starting one element after
   * an aligned address. The gaps hold NaN, so that what reads them shows it.
   */
  STRIDED {
    @Override
    public HeadTensor allocate(ElementType type, int heads, int tokens, int headDim) {
      long tokenStride = headDim + 3L;
      long headStride = tokens * tokenStride + 5;
      long elements = heads * headStride;
      MemorySegment memory = memory(type, elements + 1).asSlice(type.bytes());
      for (long element = 0; element < elements; element++) {
        type.store(memory, element, Float.NaN);
      }
      return new HeadTensor(memory, type, heads, tokens, headDim, headStride, tokenStride);
    }
  };

  /** New memory for a tensor of these sizes, owned by the garbage collector. */
  public abstract HeadTensor allocate(ElementType type, int heads, int tokens, int headDim);

  private static MemorySegment memory(ElementType type, long elements) {
    return Arena.ofAuto().allocate(elements * type.bytes(), 64);
  }
}
