package dev.heddle.kernels.cuda;

import dev.heddle.kernels.cuda.DeviceHandles.Event;
import dev.heddle.kernels.cuda.DeviceHandles.Stream;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * What one call at a time uses: a stream, two pinned buffers so that one is filled while the other
 * is copied, and events that time it.
 */
final class Lane implements AutoCloseable {
  /** Large enough that a copy's fixed cost of some 10 µs is lost in it. */
  static final int STAGING_BYTES = 8 << 20;

  private final Stream stream = new Stream();
  private final List<PinnedBuffer> staging = new ArrayList<>();
  private final Event start = new Event();
  private final Event indexed = new Event();
  private final Event attended = new Event();
  private final Releases owned = new Releases();
  private int next;

  /** Takes everything, or where something cannot be had, nothing. */
  Lane() {
    try {
      Driver.check(
          JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
          "creating a stream");
      owned.add(() -> Driver.check(JCudaDriver.cuStreamDestroy(stream), "destroying a stream"));
      for (Event event : List.of(start, indexed, attended)) {
        Driver.check(JCudaDriver.cuEventCreate(event, 0), "creating an event");
        owned.add(() -> Driver.check(JCudaDriver.cuEventDestroy(event), "destroying an event"));
      }
      while (staging.size() < 2) {
        PinnedBuffer buffer = new PinnedBuffer(STAGING_BYTES);
        staging.add(buffer);
        owned.add(buffer::close);
      }
      owned.add(this::await);
    } catch (RuntimeException failure) {
      owned.closeAfter(failure);
      throw failure;
    }
  }

  Stream stream() {
    return stream;
  }

  /** The pinned buffers in turn. */
  PinnedBuffer nextStaging() {
    next = 1 - next;
    return staging.get(next);
  }

  void markStart() {
    record(start);
  }

  void markIndexed() {
    record(indexed);
  }

  void markAttended() {
    record(attended);
  }

  /**
   * Nanoseconds on the device between {@link #markStart} and {@link #markIndexed}; both are over.
   */
  long indexNanos() {
    return nanos(start, indexed);
  }

  /**
   * Nanoseconds on the device between {@link #markIndexed} and {@link #markAttended}; both are
   * over.
   */
  long attentionNanos() {
    return nanos(indexed, attended);
  }

  /** An event that marks everything queued so far. */
  Event markEnd() {
    record(attended);
    return attended;
  }

  /** The event that foreign streams are waited for with. */
  Event startEvent() {
    return start;
  }

  void await() {
    Driver.check(JCudaDriver.cuStreamSynchronize(stream), "waiting for the device");
  }

  /** Waits for what is queued, then gives everything back. */
  @Override
  public void close() {
    owned.close();
  }

  private void record(Event event) {
    Driver.check(JCudaDriver.cuEventRecord(event, stream), "recording an event");
  }

  private static long nanos(Event from, Event to) {
    float[] milliseconds = new float[1];
    Driver.check(JCudaDriver.cuEventElapsedTime(milliseconds, from, to), "reading a timer");
    return (long) (milliseconds[0] * 1e6);
  }
}
