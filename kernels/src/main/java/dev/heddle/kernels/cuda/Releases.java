package dev.heddle.kernels.cuda;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * What must be given back, the last taken first. Every step runs, whatever became of those before
 * it. For one thread.
 */
final class Releases implements AutoCloseable {
  private final Deque<Runnable> steps = new ArrayDeque<>();

  /** Adds a step that runs before all that were added earlier. */
  void add(Runnable step) {
    steps.push(step);
  }

  /** Runs all steps because {@code failure} is about to be thrown; theirs are suppressed in it. */
  void closeAfter(Throwable failure) {
    try {
      close();
    } catch (RuntimeException also) {
      failure.addSuppressed(also);
    }
  }

  /**
   * Runs all steps. Closing again does nothing.
   *
   * @throws RuntimeException what the first step that failed threw; the others' are suppressed in
   *     it
   */
  @Override
  public void close() {
    Optional<RuntimeException> first = Optional.empty();
    while (!steps.isEmpty()) {
      try {
        steps.pop().run();
      } catch (RuntimeException failure) {
        first.ifPresent(earlier -> earlier.addSuppressed(failure));
        first = first.or(() -> Optional.of(failure));
      }
    }
    if (first.isPresent()) {
      throw first.get();
    }
  }
}
