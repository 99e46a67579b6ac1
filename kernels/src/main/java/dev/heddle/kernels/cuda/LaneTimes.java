package dev.heddle.kernels.cuda;

import dev.heddle.kernels.cuda.DeviceHandles.Event;
import dev.heddle.kernels.cuda.DeviceHandles.Stream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import jcuda.driver.JCudaDriver;

/**
 * How long the device works on each part of a call, by events in the stream between them. What the
 * device waits for counts to the part that it waits in. For one call at a time.
 */
final class LaneTimes implements AutoCloseable {
  /** What a call consists of. */
  enum Part {
    INDEX,
    ATTENTION
  }

  private final Stream stream;
  private final List<Event> events = new ArrayList<>();

  /** What follows each event that was recorded; the last one ends the call. */
  private final List<Part> parts = new ArrayList<>();

  LaneTimes(Stream stream) {
    this.stream = stream;
  }

  /** A new call starts with {@code part}. */
  void start(Part part) {
    parts.clear();
    next(part);
  }

  /** What is queued from now on belongs to {@code part}. */
  void next(Part part) {
    record(parts.size());
    parts.add(part);
  }

  /** The call is queued. */
  void end() {
    record(parts.size());
  }

  /** Nanoseconds of the device on all that belongs to {@code part}, once the call is over. */
  long nanos(Part part) {
    return IntStream.range(0, parts.size())
        .filter(i -> parts.get(i) == part)
        .mapToLong(i -> nanos(events.get(i), events.get(i + 1)))
        .sum();
  }

  private void record(int number) {
    if (number == events.size()) {
      Event event = new Event();
      Driver.check(JCudaDriver.cuEventCreate(event, 0), "creating an event");
      events.add(event);
    }
    Driver.check(JCudaDriver.cuEventRecord(events.get(number), stream), "recording an event");
  }

  private static long nanos(Event from, Event to) {
    float[] milliseconds = new float[1];
    Driver.check(JCudaDriver.cuEventElapsedTime(milliseconds, from, to), "reading a timer");
    return (long) (milliseconds[0] * 1e6);
  }

  @Override
  public void close() {
    try (Releases all = new Releases()) {
      for (Event event : events) {
        all.add(() -> Driver.check(JCudaDriver.cuEventDestroy(event), "destroying an event"));
      }
    }
    events.clear();
  }
}
