package dev.heddle.kernels;

/**
 * Copies between device memory and host memory of its own, in a queue beside that of a {@link
 * GpuStream}: what is copied and what is computed overlap, unless one is told to wait for the
 * other. For the thread that uses the stream.
 */
public interface GpuCopies extends AutoCloseable {
  /**
   * Rows that are copied at once, as far apart on both sides.
   *
   * @param count rows
   * @param bytes bytes of a row
   * @param pitchBytes bytes from one row's start to the next one's, below 2 GiB
   */
  record Rows(long count, long bytes, long pitchBytes) {}

  /**
   * Queues a copy to the host.
   *
   * @param address the first row in device memory
   * @param offset where it goes, in bytes from the start of the host memory
   */
  void toHost(long address, long offset, Rows rows);

  /** Queues a copy from the host; parameters as {@link #toHost}. */
  void toDevice(long offset, long address, Rows rows);

  /** What is copied from now on waits for what is queued on the stream so far. */
  void waitForStream();

  /** What is queued on the stream from now on waits for the copies that are queued so far. */
  void letStreamWait();

  /**
   * Waits for the copies that are queued, then gives the host memory back. Closing again, or after
   * the stream, does nothing.
   */
  @Override
  void close();
}
