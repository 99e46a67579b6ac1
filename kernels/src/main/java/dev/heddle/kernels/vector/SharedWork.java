package dev.heddle.kernels.vector;

import dev.heddle.api.HeddleException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** The numbered tasks of one call, taken by whichever thread is free. */
final class SharedWork {
  private final int tasks;
  private final IntConsumer task;
  private final AtomicInteger next = new AtomicInteger();
  private final CountDownLatch unfinished;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  SharedWork(int tasks, IntConsumer task) {
    this.tasks = tasks;
    this.task = task;
    this.unfinished = new CountDownLatch(tasks);
  }

  /**
   * Runs tasks until none is left. After a failure the rest are only counted.
   *
   * @param stop asked before each task
   */
  void takePart(BooleanSupplier stop) {
    for (int number = next.getAndIncrement(); number < tasks; number = next.getAndIncrement()) {
      try {
        if (stop.getAsBoolean()) {
          throw new HeddleException("interrupted: the output is incomplete");
        }
        if (failure.get() == null) {
          task.accept(number);
        }
      } catch (RuntimeException | Error thrown) {
        failure.compareAndSet(null, thrown);
      } finally {
        unfinished.countDown();
      }
    }
  }

  /**
   * Waits, through interruptions, for the tasks that still run: they write the caller's memory. All
   * have been begun by now, so an interruption costs no output and is only kept for the caller.
   */
  void awaitEnd() {
    boolean interrupted = false;
    while (true) {
      try {
        unfinished.await();
        break;
      } catch (InterruptedException stillRunning) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    rethrow();
  }

  private void rethrow() {
    switch (failure.get()) {
      case null -> {}
      case RuntimeException unchecked -> throw unchecked;
      case Error error -> throw error;
      case Throwable impossible -> throw new AssertionError("tasks throw nothing else", impossible);
    }
  }
}
