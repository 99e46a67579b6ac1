package dev.heddle.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Many threads, each with numbers of its own, use one instance of a pattern at one time. */
final class SharedUse {
  private static final int THREADS = 8;
  private static final int ROUNDS = 6;

  private SharedUse() {}

  /** Asserts that every thread gets what it gets alone. */
  static void assertHarmless(PatternCase tried) throws Exception {
    CyclicBarrier start = new CyclicBarrier(THREADS);
    List<Callable<Void>> tasks = new ArrayList<>();
    for (int thread = 0; thread < THREADS; thread++) {
      int number = thread;
      TestLayer layer =
          new TestTensors(tried.seed() + number)
              .rotaryLayer(tried.shape(), ElementType.FLOAT32, Layout.CONTIGUOUS);
      List<BlockIndex> alone = tried.indices(layer);
      tasks.add(() -> {
        for (int round = 0; round < ROUNDS; round++) {
          start.await();
          assertThat(tried.indices(layer).equals(alone))
              .as("thread %d of %d gets the index that it gets alone: %s", number, THREADS, tried)
              .isTrue();
        }
        return null;
      });
    }
    runAll(tasks, start);
  }

  private static void runAll(List<Callable<Void>> tasks, CyclicBarrier start) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(tasks.size())) {
      List<Future<Void>> running =
          tasks.stream().map(task -> threads.submit(() -> releasing(task, start))).toList();
      AssertionError failure = null;
      for (Future<Void> one : running) {
        try {
          one.get();
        } catch (ExecutionException failed) {
          // Those that waited for the one that failed have nothing to say.
          failure = failed.getCause() instanceof AssertionError error ? error : failure;
        }
      }
      if (failure != null) {
        throw failure;
      }
    }
  }

  /** A task that fails lets the others go. */
  private static Void releasing(Callable<Void> task, CyclicBarrier start) throws Exception {
    boolean done = false;
    try {
      task.call();
      done = true;
    } finally {
      if (!done) {
        start.reset();
      }
    }
    return null;
  }
}
