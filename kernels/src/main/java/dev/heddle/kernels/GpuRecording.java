package dev.heddle.kernels;

/** Launches and matrix products of a {@link GpuStream}, to be queued again with one call. */
public interface GpuRecording extends AutoCloseable {
  /** Queues them all, as {@link GpuStream} queues anything. */
  void replay();

  /** Gives up what the driver keeps for them. Closing again, or after the stream, does nothing. */
  @Override
  void close();
}
