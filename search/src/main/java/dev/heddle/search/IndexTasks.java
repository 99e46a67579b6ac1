package dev.heddle.search;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/** Runs tasks side by side. */
final class IndexTasks {
  private IndexTasks() {}

  /**
   * Runs {@code task} for 0 to {@code count - 1} on {@code threads} threads and returns the results
   * in order. All tasks have ended when this returns or throws.
   */
  static <T> List<T> map(int threads, int count, IntFunction<T> task) {
    List<Future<T>> futures = new ArrayList<>();
    try (ExecutorService executor =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("heddle-search-", 0).factory())) {
      for (int i = 0; i < count; i++) {
        int number = i;
        futures.add(executor.submit(() -> task.apply(number)));
      }
    }
    return futures.stream().map(IndexTasks::result).toList();
  }

  private static <T> T result(Future<T> future) {
    try {
      return future.get();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", interrupted);
    } catch (ExecutionException failure) {
      switch (failure.getCause()) {
        case RuntimeException exception -> throw exception;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException(failure);
      }
    }
  }
}
