package dev.heddle.llm;

import dev.heddle.api.HeddleException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Threads that share the rows (tokens) of the work between the matrix products. */
final class RowThreads implements AutoCloseable {
  /** Fewer rows than this are not worth waking a thread for. */
  private static final int LEAST_ROWS = 16;

  private final int threads;
  private final ExecutorService executor;

  /** Work on the rows {@code first} to {@code end - 1}, with scratch arrays of its own. */
  @FunctionalInterface
  interface RowTask {
    void run(int first, int end);
  }

  RowThreads(int threads) {
    this.threads = threads;
    this.executor =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("heddle-rows-", 0).factory());
  }

  /** Runs {@code task} over the rows 0 to {@code rows - 1} and waits. */
  void forRows(int rows, RowTask task) {
    int parts = Math.clamp(rows / LEAST_ROWS, 1, threads);
    if (parts == 1) {
      task.run(0, rows);
      return;
    }
    List<Future<?>> futures = new ArrayList<>(parts);
    for (int part = 0; part < parts; part++) {
      int first = (int) ((long) rows * part / parts);
      int end = (int) ((long) rows * (part + 1) / parts);
      futures.add(executor.submit(() -> task.run(first, end)));
    }
    await(futures);
  }

  @Override
  public void close() {
    executor.close();
  }

  /** Waits for all, also after a failure: the others still use the caller's memory. */
  private static void await(List<Future<?>> futures) {
    RuntimeException failure = null;
    boolean interrupted = false;
    for (Future<?> future : futures) {
      boolean done = false;
      while (!done) {
        try {
          future.get();
          done = true;
        } catch (InterruptedException _) {
          interrupted = true;
        } catch (ExecutionException failed) {
          failure = new HeddleException("computing a token failed: " + failed.getCause(), failed);
          done = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure != null) {
      throw failure;
    }
  }
}
