package dev.heddle.kernels.vector;

import dev.heddle.api.HeddleException;
import dev.heddle.api.InvalidInputException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A fixed number of threads that share out numbered tasks. The calling thread is one of them, so
 * that small work starts at once; the others are daemons.
 */
final class WorkerPool implements AutoCloseable {
  private final String name;
  private final int threads;
  private final @Nullable ExecutorService helpers;

  /** Stands for the helpers, which are started as they are needed. */
  private final Thread anyHelper = Thread.ofPlatform().unstarted(() -> {});

  private volatile boolean closed;

  WorkerPool(String name, int threads) {
    this.name = name;
    this.threads = threads;
    this.helpers =
        threads == 1
            ? null
            : Executors.newFixedThreadPool(
                threads - 1,
                Thread.ofPlatform().daemon().name("heddle-" + name + "-", 0).factory());
  }

  int threads() {
    return threads;
  }

  /**
   * Checks that all threads may read and write {@code memory}.
   *
   * @throws InvalidInputException if it belongs to one thread and there are several
   */
  void requireAccess(String what, MemorySegment memory) {
    if (helpers != null && !memory.isAccessibleBy(anyHelper)) {
      throw new InvalidInputException(
          "%s: the memory is confined to one thread, but %d compute; use Arena.ofShared or ofAuto"
              .formatted(what, threads));
    }
  }

  /**
   * Runs {@code task} for 0 to {@code tasks - 1}, begun in this order, and returns when none runs
   * any more.
   *
   * <p>If one throws, no further ones are begun and its exception is thrown here. If the calling
   * thread is interrupted, no further ones are begun either, and it stays interrupted.
   *
   * @throws HeddleException if the calling thread was interrupted
   * @throws IllegalStateException after {@link #close}
   */
  void run(int tasks, IntConsumer task) {
    if (closed) {
      throw new IllegalStateException("the " + name + " backend is closed");
    }
    SharedWork work = new SharedWork(tasks, task);
    for (int i = 1; i < Math.min(threads, tasks); i++) {
      help(work);
    }
    work.takePart(Thread.currentThread()::isInterrupted);
    work.awaitEnd();
  }

  /** Lets calls under way end, and refuses new ones. */
  @Override
  public void close() {
    closed = true;
    if (helpers != null) {
      helpers.shutdown();
    }
  }

  private void help(SharedWork work) {
    try {
      if (helpers != null) {
        helpers.execute(() -> work.takePart(() -> false));
      }
    } catch (RejectedExecutionException closedMeanwhile) {
      // The call began before the pool was closed: it goes on with the threads that it has.
      return;
    }
  }
}
