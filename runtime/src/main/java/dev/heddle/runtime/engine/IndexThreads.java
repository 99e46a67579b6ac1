package dev.heddle.runtime.engine;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** A bounded set of daemon threads that go away when there is nothing to do. */
final class IndexThreads implements AutoCloseable {
  private static final long IDLE_SECONDS = 30;

  private final ThreadPoolExecutor executor;

  IndexThreads(int threads) {
    ThreadFactory factory = Thread.ofPlatform().daemon().name("heddle-index-", 0).factory();
    executor =
        new ThreadPoolExecutor(
            threads, threads, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
    executor.allowCoreThreadTimeOut(true);
  }

  /**
   * Runs {@code task} for 0 to {@code count - 1} and returns the results in order. All tasks have
   * ended when this returns or throws, so that none reads memory which the caller has freed.
   *
   * @throws RuntimeException what the first task, in order, that failed threw
   */
  <T> List<T> map(int count, IntFunction<T> task) {
    List<CompletableFuture<T>> futures =
        IntStream.range(0, count)
            .mapToObj(i -> CompletableFuture.supplyAsync(() -> task.apply(i), executor))
            .toList();
    try {
      CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new)).join();
    } catch (CompletionException someFailed) {
      // the loop below throws the first of them
    }
    return futures.stream().map(IndexThreads::result).toList();
  }

  private static <T> T result(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException failure) {
      switch (failure.getCause()) {
        case RuntimeException exception -> throw exception;
        case Error error -> throw error;
        case null, default -> throw failure;
      }
    }
  }

  @Override
  public void close() {
    executor.shutdown();
  }
}
