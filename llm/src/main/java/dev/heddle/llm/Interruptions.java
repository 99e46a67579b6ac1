package dev.heddle.llm;

import dev.heddle.api.HeddleException;

/** Ends long work between two of its steps when the thread that does it has been interrupted. */
final class Interruptions {
  private Interruptions() {}

  /**
   * Does nothing unless the thread is interrupted, which it stays.
   *
   * @throws HeddleException if it is
   */
  static void check() {
    if (Thread.currentThread().isInterrupted()) {
      throw new HeddleException("interrupted: the text has not been read to its end");
    }
  }
}
