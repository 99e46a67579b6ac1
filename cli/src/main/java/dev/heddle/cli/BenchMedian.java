package dev.heddle.cli;

import java.util.List;
import java.util.function.ToLongFunction;

/** What several runs of one case say. */
record BenchMedian(List<BenchSample> samples) {
  BenchMedian {
    samples = List.copyOf(samples);
  }

  long indexNanos() {
    return median(BenchSample::indexNanos);
  }

  long attentionNanos() {
    return median(BenchSample::attentionNanos);
  }

  long totalNanos() {
    return median(BenchSample::totalNanos);
  }

  /** Slowest less fastest total, as a share of the median. */
  double spread() {
    long[] totals = sorted(BenchSample::totalNanos);
    return (double) (totals[totals.length - 1] - totals[0]) / totalNanos();
  }

  /** Cells of every run: the inputs are the same. */
  long cells() {
    return samples.getFirst().cells();
  }

  private long median(ToLongFunction<BenchSample> nanos) {
    long[] sorted = sorted(nanos);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1
        ? sorted[middle]
        : Math.ceilDiv(sorted[middle - 1] + sorted[middle], 2);
  }

  private long[] sorted(ToLongFunction<BenchSample> nanos) {
    return samples.stream().mapToLong(nanos).sorted().toArray();
  }
}
