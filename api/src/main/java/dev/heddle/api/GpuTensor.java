package dev.heddle.api;

/**
 * All heads of one of Q, K, V or the output in device memory, {@code [head][token][dim]}. The
 * numbers of a row are neighbours; strides of heads and rows are free. Batches are packed: the rows
 * of one sequence follow those of another along the token axis.
 *
 * @param address device address of head 0, row 0; a multiple of 16
 * @param type how each element is stored
 * @param heads heads
 * @param tokens rows per head, over all sequences
 * @param headDim numbers per row
 * @param headStride elements from one head to the next
 * @param tokenStride elements from one row of a head to the next
 */
public record GpuTensor(
    long address,
    ElementType type,
    int heads,
    int tokens,
    int headDim,
    long headStride,
    long tokenStride) {
  /** Kernels load 16 bytes at a time. */
  private static final int ALIGNMENT_BYTES = 16;

  /**
   * Checks sizes, and that every row starts at a multiple of 16 bytes.
   *
   * @throws InvalidInputException if a size is below 1, rows overlap, or a row is not aligned
   */
  public GpuTensor {
    if (heads < 1 || tokens < 1 || headDim < 1 || headStride < 0 || tokenStride < headDim) {
      throw new InvalidInputException(
          "no device tensor has %d heads of %d tokens of %d numbers, head stride %d, token stride %d"
              .formatted(heads, tokens, headDim, headStride, tokenStride));
    }
    if (address == 0
        || address % ALIGNMENT_BYTES != 0
        || headStride * type.bytes() % ALIGNMENT_BYTES != 0
        || tokenStride * type.bytes() % ALIGNMENT_BYTES != 0) {
      throw new InvalidInputException(
          ("a device tensor at address 0x%x with head stride %d and token stride %d of %s; allowed:"
                  + " an address and strides in bytes that are multiples of %d")
              .formatted(address, headStride, tokenStride, type, ALIGNMENT_BYTES));
    }
  }

  /** Contiguous {@code [heads][tokens][headDim]} from {@code address} on. */
  public static GpuTensor contiguous(
      long address, ElementType type, int heads, int tokens, int headDim) {
    return new GpuTensor(address, type, heads, tokens, headDim, (long) tokens * headDim, headDim);
  }
}
