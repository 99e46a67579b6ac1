package dev.heddle.api;

import java.lang.foreign.MemorySegment;

/**
 * One head's rows, {@code [token][dim]}, viewed in host memory without a copy. The numbers of a row
 * are neighbours; rows lie {@code tokenStride} elements apart.
 *
 * @param memory the memory, owned by the caller
 * @param type how each element is stored
 * @param offset element offset of row 0
 * @param tokens rows
 * @param headDim numbers per row
 * @param tokenStride elements from one row to the next
 */
public record HeadMatrix(
    MemorySegment memory,
    ElementType type,
    long offset,
    int tokens,
    int headDim,
    long tokenStride) {
  /**
   * Checks that every row lies inside {@code memory}.
   *
   * @throws InvalidInputException if it does not, or if a size is below 1
   */
  public HeadMatrix {
    if (tokens < 1 || headDim < 1 || offset < 0 || (tokens > 1 && tokenStride < headDim)) {
      throw new InvalidInputException(
          "no head matrix has %d tokens of %d numbers, offset %d, token stride %d"
              .formatted(tokens, headDim, offset, tokenStride));
    }
    long elements = memory.byteSize() / type.bytes();
    long needed;
    try {
      needed =
          Math.addExact(
              Math.addExact(offset, headDim), Math.multiplyExact(tokens - 1L, tokenStride));
    } catch (ArithmeticException overflow) {
      needed = Long.MAX_VALUE;
    }
    if (needed > elements) {
      throw new InvalidInputException(
          "the head's last element is number %d, but the memory holds %d of type %s"
              .formatted(needed, elements, type));
    }
  }

  /** Wraps contiguous rows: {@code [tokens][headDim]} from the start of {@code memory}. */
  public static HeadMatrix contiguous(
      MemorySegment memory, ElementType type, int tokens, int headDim) {
    return new HeadMatrix(memory, type, 0, tokens, headDim, headDim);
  }

  /** The number at row {@code token}, place {@code dim}. For bulk work use {@link #copyRows}. */
  public float get(int token, int dim) {
    return type.load(memory, rowOffset(token) + dim);
  }

  /**
   * Copies rows {@code firstToken} to {@code firstToken + count - 1} to {@code target} as float32,
   * one after the other.
   *
   * @param target receives {@code count * headDim} numbers from {@code targetOffset} on
   * @throws InvalidInputException if there are no such rows
   * @throws IndexOutOfBoundsException if {@code target} is too small
   */
  public void copyRows(int firstToken, int count, float[] target, int targetOffset) {
    requireRows(firstToken, count);
    if (targetOffset < 0 || (long) count * headDim > target.length - targetOffset) {
      throw new IndexOutOfBoundsException(
          "%d rows of %d numbers do not fit from %d on in an array of %d"
              .formatted(count, headDim, targetOffset, target.length));
    }
    if (tokenStride == headDim) {
      type.load(memory, rowOffset(firstToken), target, targetOffset, count * headDim);
      return;
    }
    for (int i = 0; i < count; i++) {
      type.load(memory, rowOffset(firstToken + i), target, targetOffset + i * headDim, headDim);
    }
  }

  /**
   * Checks that this has the rows {@code first} to {@code first + count - 1}.
   *
   * @throws InvalidInputException naming the rows that there are
   */
  void requireRows(int first, int count) {
    if (first < 0 || count < 0 || first > tokens - count) {
      throw new InvalidInputException(
          "%d rows from row %d are not among the rows 0 to %d".formatted(count, first, tokens - 1));
    }
  }

  /** Element offset of row {@code token} in {@link #memory}. */
  public long rowOffset(int token) {
    return offset + token * tokenStride;
  }
}
