package dev.heddle.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.HeddleException;
import dev.heddle.api.InvalidInputException;
import java.lang.foreign.Arena;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerPoolTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void runsEveryTaskOnce(int threads) {
    AtomicIntegerArray runs = new AtomicIntegerArray(1000);
    try (WorkerPool pool = new WorkerPool("test", threads)) {
      pool.run(1000, runs::incrementAndGet);
    }
    for (int i = 0; i < 1000; i++) {
      assertThat(runs.get(i)).isEqualTo(1);
    }
  }

  @Test
  void computesOnAllThreadsAtOnce() {
    CountDownLatch together = new CountDownLatch(3);
    try (WorkerPool pool = new WorkerPool("test", 3)) {
      // Each task waits for the other two: one after the other they would never end.
      pool.run(
          3,
          task -> {
            together.countDown();
            await(together);
          });
    }
    assertThat(together.getCount()).isZero();
  }

  @Test
  void aFailureReachesTheCallerAndNoFurtherTaskBegins() {
    AtomicInteger begun = new AtomicInteger();
    try (WorkerPool pool = new WorkerPool("test", 2)) {
      assertThatThrownBy(() ->
              pool.run(
                  1_000_000,
                  task -> {
                    begun.incrementAndGet();
                    throw new IllegalArgumentException("task failed");
                  }))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("task failed");
      assertThat(begun.get()).isLessThanOrEqualTo(2);
      pool.run(10, task -> begun.set(100));
    }
    assertThat(begun.get()).isEqualTo(100);
  }

  @Test
  void aFailureOnAHelperReachesTheCaller() {
    Thread caller = Thread.currentThread();
    CountDownLatch failed = new CountDownLatch(1);
    try (WorkerPool pool = new WorkerPool("test", 2)) {
      assertThatThrownBy(() ->
              pool.run(
                  2,
                  task -> {
                    if (Thread.currentThread() == caller) {
                      await(failed);
                    } else {
                      failed.countDown();
                      throw new StackOverflowError("on a helper");
                    }
                  }))
          .isInstanceOf(StackOverflowError.class)
          .hasMessage("on a helper");
    }
  }

  @Test
  void anInterruptedCallerStopsAndStaysInterrupted() {
    AtomicInteger ran = new AtomicInteger();
    try (WorkerPool pool = new WorkerPool("test", 1)) {
      assertThatThrownBy(() ->
              pool.run(
                  100,
                  task -> {
                    ran.incrementAndGet();
                    Thread.currentThread().interrupt();
                  }))
          .isInstanceOf(HeddleException.class)
          .hasMessageContaining("interrupted: the output is incomplete");
      assertThat(Thread.interrupted()).isTrue();
      assertThat(ran.get()).isEqualTo(1);
    }
  }

  @Test
  void anInterruptionWhileTheLastTaskRunsLosesNothing() {
    CountDownLatch helperRuns = new CountDownLatch(1);
    AtomicInteger done = new AtomicInteger();
    Thread caller = Thread.currentThread();
    try (WorkerPool pool = new WorkerPool("test", 2)) {
      pool.run(
          2,
          task -> {
            if (Thread.currentThread() == caller) {
              await(helperRuns);
            } else {
              helperRuns.countDown();
              caller.interrupt();
            }
            done.incrementAndGet();
          });
    }
    assertThat(Thread.interrupted()).isTrue();
    assertThat(done.get()).isEqualTo(2);
  }

  @Test
  void refusesCallsAfterClose() {
    WorkerPool pool = new WorkerPool("test", 2);
    pool.close();
    assertThatThrownBy(() -> pool.run(1, task -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the test backend is closed");
  }

  @Test
  void refusesMemoryThatOtherThreadsCannotReach() {
    try (Arena confined = Arena.ofConfined();
        WorkerPool one = new WorkerPool("test", 1);
        WorkerPool two = new WorkerPool("test", 2)) {
      one.requireAccess("keys", confined.allocate(4));
      two.requireAccess("keys", Arena.ofAuto().allocate(4));
      assertThatThrownBy(() -> two.requireAccess("keys", confined.allocate(4)))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage(
              "keys: the memory is confined to one thread, but 2 compute; use Arena.ofShared or"
                  + " ofAuto");
    }
  }

  private static void await(CountDownLatch latch) {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException again) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
