package dev.heddle.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends a command in good order when the process is told to end (Ctrl-C, SIGTERM): its thread is
 * interrupted, gives back what it holds, among it the memory of a GPU, and removes unfinished
 * files. The JVM then ends with 128 and the signal's number.
 */
final class Interruption {
  /** Longer than any step of the work takes that is not looked at by an interrupted thread. */
  private static final long MOST_WAIT_SECONDS = 5;

  private final Thread worker;
  private final CountDownLatch done = new CountDownLatch(1);

  private Interruption(Thread worker) {
    this.worker = worker;
  }

  /** Watches over the work of the calling thread. */
  static Interruption watch() {
    Interruption interruption = new Interruption(Thread.currentThread());
    Runtime.getRuntime().addShutdownHook(new Thread(interruption::end, "heddle-interruption"));
    return interruption;
  }

  /** The work has ended, in whatever way: from now on there is nothing to interrupt. */
  void workHasEnded() {
    done.countDown();
  }

  /** Runs whenever the JVM ends. */
  private void end() {
    if (done.getCount() == 0) {
      return;
    }
    worker.interrupt();
    try {
      if (!done.await(MOST_WAIT_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("heddle: interrupted; the process ends in the middle of a step");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // whoever does this wants an end at once
    }
  }
}
