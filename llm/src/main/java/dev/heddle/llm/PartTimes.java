package dev.heddle.llm;

import dev.heddle.kernels.GpuStream;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Times the parts of a pass on a device by marks in its queue. */
final class PartTimes {
  private final GpuStream stream;
  private final boolean measures;
  private final List<Interval> intervals = new ArrayList<>();

  /** What time is spent on. */
  enum Part {
    /** Matrix products to Q, K and V, and back to the hidden size. */
    PROJECTIONS,
    /** Matrix products and gates of the feed-forward part. */
    FEED_FORWARD,
    /** Indices and attention. */
    ATTENTION,
    /** Embedding, norms, the turn by the position, logits. */
    OTHER
  }

  private record Interval(Part part, int from, int to) {}

  private PartTimes(GpuStream stream, boolean measures) {
    this.stream = stream;
    this.measures = measures;
  }

  /** Marks nothing. */
  static PartTimes none(GpuStream stream) {
    return new PartTimes(stream, false);
  }

  static PartTimes of(GpuStream stream) {
    stream.forgetMarks();
    return new PartTimes(stream, true);
  }

  /** Lets {@code work} queue something that belongs to {@code part}. */
  void time(Part part, Runnable work) {
    if (!measures) {
      work.run();
      return;
    }
    int from = stream.mark();
    work.run();
    intervals.add(new Interval(part, from, stream.mark()));
  }

  /** Nanoseconds of each part, once everything is done. */
  Map<Part, Long> nanos() {
    Map<Part, Long> nanos = new EnumMap<>(Part.class);
    for (Part part : Part.values()) {
      nanos.put(part, 0L);
    }
    for (Interval interval : intervals) {
      nanos.merge(interval.part(), stream.nanosBetween(interval.from(), interval.to()), Long::sum);
    }
    return nanos;
  }
}
