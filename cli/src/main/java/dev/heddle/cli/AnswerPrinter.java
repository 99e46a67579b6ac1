package dev.heddle.cli;

import dev.heddle.llm.CacheKind;
import dev.heddle.llm.GenerationListener;
import dev.heddle.llm.TextStream;
import java.util.Optional;

/** Shows how far the prompt is read, then the answer as it is written. */
final class AnswerPrinter implements GenerationListener, AutoCloseable {
  private static final int STEPS = 1000;

  private final TextStream stream;
  private final Console console;
  private final boolean printing;
  private final Progress progress;
  private final StringBuilder text = new StringBuilder();
  private Optional<CacheKind> cache = Optional.empty();

  /**
   * Makes a printer.
   *
   * @param printing whether the answer goes to standard output while it is made
   */
  AnswerPrinter(TextStream stream, Console console, boolean printing) {
    this.stream = stream;
    this.console = console;
    this.printing = printing;
    this.progress = console.progress("reading", STEPS);
  }

  @Override
  public void onProgress(int layer, double fraction) {
    progress.stepTo((long) (fraction * STEPS));
    if (fraction >= 1) {
      progress.close(); // the answer must not be written over the bar
    }
  }

  @Override
  public void onCache(CacheKind kind) {
    cache = Optional.of(kind);
  }

  /** The kind of cache that was made for the answer; empty if none was. */
  Optional<CacheKind> cache() {
    return cache;
  }

  @Override
  public void onToken(int token) {
    show(stream.append(token));
  }

  /** The whole answer; ends the stream. */
  String text() {
    show(stream.end());
    return text.toString();
  }

  @Override
  public void close() {
    progress.close();
  }

  private void show(String piece) {
    text.append(piece);
    if (printing) {
      console.out().print(piece);
      console.out().flush();
    }
  }
}
