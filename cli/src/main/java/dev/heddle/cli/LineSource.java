package dev.heddle.cli;

import dev.heddle.api.HeddleException;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.SynchronousQueue;

/**
 * Reads lines in a thread of its own, because a thread that waits for standard input hears of no
 * interruption.
 */
final class LineSource {
  private final BlockingQueue<Line> lines = new SynchronousQueue<>();

  /** A line, the end of input (neither), or why it cannot be read. */
  private record Line(Optional<String> text, Optional<IOException> failure) {}

  /** Begins to read from {@code reader}, which stays the caller's to close. */
  LineSource(BufferedReader reader) {
    Thread.ofPlatform().daemon().name("heddle-input").start(() -> pump(reader));
  }

  /**
   * The next line; empty when there are no more. Not to be called again after that.
   *
   * @throws HeddleException if the thread is interrupted, which it stays
   */
  Optional<String> next() throws IOException {
    try {
      Line line = lines.take();
      if (line.failure().isPresent()) {
        throw line.failure().get();
      }
      return line.text();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new HeddleException("interrupted while waiting for a line", interrupted);
    }
  }

  private void pump(BufferedReader reader) {
    try {
      boolean more = true;
      while (more) {
        Line line = read(reader);
        lines.put(line);
        more = line.text().isPresent();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static Line read(BufferedReader reader) {
    try {
      return new Line(Optional.ofNullable(reader.readLine()), Optional.empty());
    } catch (IOException failure) {
      return new Line(Optional.empty(), Optional.of(failure));
    }
  }
}
