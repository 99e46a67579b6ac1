package dev.heddle.kernels.cuda;

import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.cuda.DeviceHandles.Event;
import dev.heddle.kernels.cuda.DeviceHandles.Stream;
import dev.heddle.kernels.cuda.LaneTimes.Part;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * What one call at a time uses: a stream, two pinned buffers so that one is filled while the other
 * is copied, memory for a kernel's parameters, and events that time it.
 */
final class Lane implements AutoCloseable {
  /** Large enough that a copy's fixed cost of some 10 µs is lost in it. */
  static final int STAGING_BYTES = 8 << 20;

  private final Stream stream = new Stream();
  private final List<PinnedBuffer> staging = new ArrayList<>();
  private final Event before = new Event();
  private final Event after = new Event();
  private final LaneTimes times = new LaneTimes(stream);
  private final MemorySegment launchMemory = Arena.ofAuto().allocate(Launch.BYTES, Long.BYTES);
  private final Releases owned = new Releases();
  private int next;

  /** Takes everything, or where something cannot be had, nothing. */
  Lane() {
    try {
      Driver.check(
          JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
          "creating a stream");
      owned.add(() -> Driver.check(JCudaDriver.cuStreamDestroy(stream), "destroying a stream"));
      for (Event event : List.of(before, after)) {
        Driver.check(JCudaDriver.cuEventCreate(event, 0), "creating an event");
        owned.add(() -> Driver.check(JCudaDriver.cuEventDestroy(event), "destroying an event"));
      }
      owned.add(times::close);
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

  LaneTimes times() {
    return times;
  }

  /**
   * Memory that a launch lays its parameters out in; the driver has copied it when that returns.
   */
  MemorySegment launchMemory() {
    return launchMemory;
  }

  /** An event that marks everything queued so far. */
  Event markEnd() {
    Driver.check(JCudaDriver.cuEventRecord(after, stream), "recording an event");
    return after;
  }

  /** The event that foreign streams are waited for with. */
  Event startEvent() {
    return before;
  }

  void await() {
    Driver.check(JCudaDriver.cuStreamSynchronize(stream), "waiting for the device");
  }

  /** Waits for what is queued, and says what it took. */
  GpuReport report(List<Long> cells) {
    await();
    return new GpuReport(cells, times.nanos(Part.INDEX), times.nanos(Part.ATTENTION));
  }

  /** Waits for what is queued, then gives everything back. */
  @Override
  public void close() {
    owned.close();
  }
}
