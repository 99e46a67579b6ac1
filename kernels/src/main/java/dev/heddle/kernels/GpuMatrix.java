package dev.heddle.kernels;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;

/**
 * A row-major matrix in device memory. The numbers of a row are neighbours.
 *
 * @param address device address of the first number
 * @param type how each number is stored
 * @param rows rows, at least 1
 * @param columns numbers per row, at least 1
 * @param rowStride numbers from one row to the next, at least {@code columns}
 */
public record GpuMatrix(long address, ElementType type, int rows, int columns, long rowStride) {
  /**
   * Checks the sizes.
   *
   * @throws InvalidInputException naming them
   */
  public GpuMatrix {
    if (address == 0 || rows < 1 || columns < 1 || rowStride < columns) {
      throw new InvalidInputException(
          "no device matrix at 0x%x has %d rows of %d numbers, %d apart"
              .formatted(address, rows, columns, rowStride));
    }
  }

  /** Contiguous {@code [rows][columns]}. */
  public static GpuMatrix contiguous(long address, ElementType type, int rows, int columns) {
    return new GpuMatrix(address, type, rows, columns, columns);
  }

  /** {@code count} of its rows, from {@code first} on. */
  public GpuMatrix slice(int first, int count) {
    return new GpuMatrix(
        address + first * rowStride * type.bytes(), type, count, columns, rowStride);
  }

  /** The first {@code count} numbers of each row. */
  public GpuMatrix left(int count) {
    return new GpuMatrix(address, type, rows, count, rowStride);
  }

  /** Bytes from the first number to behind the last. */
  public long bytes() {
    return ((rows - 1) * rowStride + columns) * type.bytes();
  }
}
