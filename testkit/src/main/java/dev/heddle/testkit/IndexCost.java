package dev.heddle.testkit;

import com.sun.management.OperatingSystemMXBean;
import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;

/**
 * How the time to build an index grows with the prompt.
 *
 * <p>What a pattern reads cannot be counted: it is shown memory, and memory does not tell. So the
 * time is measured, with care that an innocent pattern passes on a busy machine: it is processor
 * time, which other processes hardly change, of the whole process, so that helper threads count;
 * the best of several runs; judged only where it can be told from noise; and a ratio too great is
 * measured again before it fails. For four times the prompt a linear pattern takes 4 times as long
 * and a quadratic one 16 times; the limit is 10.
 */
final class IndexCost {
  private static final double MOST_TIMES = 10;
  private static final int FACTOR = 4;
  private static final int LEAST_TOKENS = 4096;
  private static final int MOST_TOKENS = 65_536;

  /** A quicker index is not judged: no prompt up to the greatest length suffers from it. */
  private static final long ENOUGH_NANOS = 30_000_000;

  private static final int ROUNDS = 5;
  private static final int RUNS_PER_ROUND = 3;
  private static final long WARM_UP_NANOS = 300_000_000;

  private final SparsePattern pattern;
  private final Options options;
  private final long seed;
  private final Map<Integer, HeadInputs> inputs = new TreeMap<>();
  private final Map<Integer, Long> best = new TreeMap<>();

  IndexCost(SparsePattern pattern, Options options, long seed) {
    this.pattern = pattern;
    this.options = options;
    this.seed = seed;
  }

  /** Asserts that some length is found at which the time can be told and grows less. */
  void assertBelowQuadratic() {
    warmUp();
    for (int tokens = LEAST_TOKENS; tokens <= MOST_TOKENS; tokens *= 2) {
      if (isJudgedAt(tokens)) {
        return;
      }
    }
  }

  /** Until the compiler has done its work, times say little. */
  private void warmUp() {
    long end = System.nanoTime() + WARM_UP_NANOS;
    while (System.nanoTime() < end) {
      run(LEAST_TOKENS);
    }
  }

  /** Whether the growth up to this length is known to be in order; fails if it is not. */
  private boolean isJudgedAt(int tokens) {
    double times = 0;
    for (int round = 0; round < ROUNDS; round++) {
      long shorter = measure(tokens / FACTOR);
      long longer = measure(tokens);
      if (longer < ENOUGH_NANOS) {
        return false;
      }
      times = (double) longer / Math.max(1, shorter);
      if (times <= MOST_TIMES) {
        return true;
      }
    }
    throw new AssertionError(
        "building the index takes %.1f ms of processor time for %d tokens and %.1f ms for %d: %.1f times as much for %d times the prompt, where %d would be linear, %d quadratic and %.0f is allowed; a test of the pattern may declare that with indexCostIsQuadratic(): pattern '%s', options [%s], seed %d"
            .formatted(
                milliseconds(tokens / FACTOR),
                tokens / FACTOR,
                milliseconds(tokens),
                tokens,
                times,
                FACTOR,
                FACTOR,
                FACTOR * FACTOR,
                MOST_TIMES,
                pattern.name(),
                options,
                seed));
  }

  private double milliseconds(int tokens) {
    return best.getOrDefault(tokens, 0L) / 1e6;
  }

  /** The best time of all runs so far, three more included. */
  private long measure(int tokens) {
    for (int run = 0; run < RUNS_PER_ROUND; run++) {
      best.merge(tokens, run(tokens), Math::min);
    }
    return best.getOrDefault(tokens, 0L);
  }

  private long run(int tokens) {
    HeadInputs input = inputs.computeIfAbsent(tokens, this::input);
    long start = processorNanos();
    long cells = pattern.index(input, options).cells();
    long nanos = processorNanos() - start;
    return cells > 0 ? nanos : 0;
  }

  private HeadInputs input(int tokens) {
    return new TestTensors(seed)
        .gaussianLayer(
            new AttentionShape(1, 1, tokens, tokens, 16), ElementType.FLOAT32, Layout.CONTIGUOUS)
        .head(0, BlockShape.DEFAULT);
  }

  private static long processorNanos() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
            && system.getProcessCpuTime() >= 0
        ? system.getProcessCpuTime()
        : System.nanoTime();
  }
}
