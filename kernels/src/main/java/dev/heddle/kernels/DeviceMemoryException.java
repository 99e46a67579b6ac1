package dev.heddle.kernels;

import java.io.Serial;

/**
 * The device has not the memory that a call needs. Nothing is kept of the call; later calls work.
 */
public final class DeviceMemoryException extends DeviceException {
  @Serial private static final long serialVersionUID = 1;

  /** Bytes that the call needs. */
  private final long neededBytes;

  /** Bytes that were free. */
  private final long freeBytes;

  /**
   * Makes the error.
   *
   * @param what what needs the memory
   */
  public DeviceMemoryException(String what, long neededBytes, long freeBytes) {
    super(
        "%s needs %s of device memory, but %s are free; use fewer tokens or heads per call, or free device memory"
            .formatted(what, mebibytes(neededBytes), mebibytes(freeBytes)));
    this.neededBytes = neededBytes;
    this.freeBytes = freeBytes;
  }

  /** Bytes that the call needs. */
  public long neededBytes() {
    return neededBytes;
  }

  /** Bytes that were free. */
  public long freeBytes() {
    return freeBytes;
  }

  private static String mebibytes(long bytes) {
    return "%,d MiB".formatted(Math.ceilDiv(bytes, 1L << 20));
  }
}
