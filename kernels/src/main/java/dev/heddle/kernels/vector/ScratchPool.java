package dev.heddle.kernels.vector;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Scratch memory that is used again: one for each task that runs at the same time. */
final class ScratchPool<T> {
  private final ConcurrentLinkedQueue<T> free = new ConcurrentLinkedQueue<>();

  /**
   * Runs {@code task} with scratch of its own.
   *
   * @param fits whether scratch made earlier serves this task; else it is dropped
   * @param maker makes new scratch
   */
  void use(Predicate<T> fits, Supplier<T> maker, Consumer<T> task) {
    T found = free.poll();
    T scratch = found != null && fits.test(found) ? found : maker.get();
    try {
      task.accept(scratch);
    } finally {
      free.add(scratch);
    }
  }
}
