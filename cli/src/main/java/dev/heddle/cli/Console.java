package dev.heddle.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/**
 * Where a command writes.
 *
 * @param out standard output: results
 * @param err standard error: notes, progress, errors
 * @param terminal whether {@code err} is watched by a person, so that progress bars make sense
 */
record Console(PrintWriter out, PrintWriter err, boolean terminal) {
  /** Columns that progress bars may use; narrower than any usual terminal. */
  private static final int PROGRESS_COLUMNS = 79;

  /**
   * The console of this process, always in UTF-8, as JSON is; the launcher says whether standard
   * error is a terminal.
   */
  static Console ofProcess() {
    return new Console(
        new PrintWriter(System.out, true, StandardCharsets.UTF_8),
        new PrintWriter(System.err, true, StandardCharsets.UTF_8),
        Boolean.getBoolean("heddle.terminal"));
  }

  /** Tells the user something that is not part of the result. */
  void note(String line) {
    err.println(line);
    err.flush();
  }

  /** Starts a progress bar of {@code steps} steps; silent when nobody watches. */
  Progress progress(String task, long steps) {
    return terminal ? new BarProgress(task, steps, err, PROGRESS_COLUMNS) : Progress.SILENT;
  }

  /** Starts a display of time going by, for work that cannot say how far it is. */
  Progress busy(String task) {
    return progress(task, BarProgress.UNKNOWN);
  }
}
