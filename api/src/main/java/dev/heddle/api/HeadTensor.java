package dev.heddle.api;

import java.lang.foreign.MemorySegment;

/**
 * All heads of one of Q, K, V or the output of a layer, {@code [head][token][dim]}, viewed in host
 * memory without a copy. Strides are free, so that {@code [token][head][dim]} is a head tensor as
 * well.
 *
 * @param memory the memory, owned by the caller
 * @param type how each element is stored
 * @param heads heads
 * @param tokens rows per head
 * @param headDim numbers per row, neighbours in memory
 * @param headStride elements from one head to the next
 * @param tokenStride elements from one row of a head to the next
 */
public record HeadTensor(
    MemorySegment memory,
    ElementType type,
    int heads,
    int tokens,
    int headDim,
    long headStride,
    long tokenStride) {
  /**
   * Checks that every head lies inside {@code memory}.
   *
   * @throws InvalidInputException if it does not, or if a size is below 1
   */
  public HeadTensor {
    if (heads < 1 || headStride < 0) {
      throw new InvalidInputException(
          "no head tensor has %d heads, head stride %d".formatted(heads, headStride));
    }
    long lastHead;
    try {
      lastHead = Math.multiplyExact(heads - 1L, headStride);
    } catch (ArithmeticException overflow) {
      lastHead = Long.MAX_VALUE / 2;
    }
    new HeadMatrix(
        memory, type, lastHead, tokens, headDim, tokenStride); // for its check of the last head
  }

  /** Wraps contiguous {@code [heads][tokens][headDim]} from the start of {@code memory}. */
  public static HeadTensor contiguous(
      MemorySegment memory, ElementType type, int heads, int tokens, int headDim) {
    return new HeadTensor(memory, type, heads, tokens, headDim, (long) tokens * headDim, headDim);
  }

  /**
   * Wraps {@code [tokens][heads][headDim]}, the layout that a projection leaves, from the start of
   * {@code memory}.
   */
  public static HeadTensor interleaved(
      MemorySegment memory, ElementType type, int heads, int tokens, int headDim) {
    return new HeadTensor(memory, type, heads, tokens, headDim, headDim, (long) heads * headDim);
  }

  /** The rows of head {@code head}. */
  public HeadMatrix head(int head) {
    if (head < 0 || head >= heads) {
      throw new InvalidInputException(
          "head " + head + " is not among the heads 0 to " + (heads - 1));
    }
    return new HeadMatrix(memory, type, head * headStride, tokens, headDim, tokenStride);
  }
}
