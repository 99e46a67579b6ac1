package dev.heddle.api;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The one struct that a kernel takes by value, filled by byte offset. Bytes that are not set are 0.
 * Not safe for use by several threads.
 */
public final class KernelParameters {
  /** The most that a kernel takes on every device. */
  public static final int MOST_BYTES = 4096;

  private final ByteBuffer bytes;

  /**
   * Makes a struct of zeros.
   *
   * @param size {@code sizeof} of the struct, at most 4096
   * @throws InvalidInputException if it is larger, or below 1
   */
  public KernelParameters(int size) {
    if (size < 1 || size > MOST_BYTES) {
      throw new InvalidInputException(
          "a kernel takes 1 to %d bytes of parameters, not %d".formatted(MOST_BYTES, size));
    }
    this.bytes = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
  }

  /** Sets a 64-bit integer or a device address. */
  public KernelParameters putLong(int offset, long value) {
    bytes.putLong(aligned(offset, Long.BYTES), value);
    return this;
  }

  /** Sets a 32-bit integer. */
  public KernelParameters putInt(int offset, int value) {
    bytes.putInt(aligned(offset, Integer.BYTES), value);
    return this;
  }

  /** Sets a float32. */
  public KernelParameters putFloat(int offset, float value) {
    bytes.putFloat(aligned(offset, Float.BYTES), value);
    return this;
  }

  /** The 64-bit integer at {@code offset}. */
  long getLong(int offset) {
    return bytes.getLong(aligned(offset, Long.BYTES));
  }

  /** A copy of the struct's bytes, in native order. */
  public byte[] toBytes() {
    return bytes.array().clone();
  }

  private static int aligned(int offset, int size) {
    if (offset % size != 0) {
      throw new InvalidInputException(
          "offset %d of a field of %d bytes is not a multiple of its size".formatted(offset, size));
    }
    return offset;
  }
}
