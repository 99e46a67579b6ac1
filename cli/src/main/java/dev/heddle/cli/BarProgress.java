package dev.heddle.cli;

import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar on one line that is rewritten in place and removed at the end. */
final class BarProgress implements Progress {
  /** The number of steps of work that cannot say how far it is. */
  static final long UNKNOWN = -1;

  private final ProgressBar bar;

  BarProgress(String task, long steps, PrintWriter err, int columns) {
    bar =
        new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(steps)
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(250)
            .setConsumer(new Line(err, columns))
            .build();
  }

  @Override
  public void stepTo(long step) {
    bar.stepTo(step);
  }

  @Override
  public void close() {
    boolean interrupted = Thread.interrupted();
    bar.close(); // waits, and forgets that its thread was interrupted
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Writes the bar. The library's own consumers ask the terminal for its abilities through native
   * code, which costs start-up time and a warning.
   */
  private record Line(PrintWriter err, int columns) implements ProgressBarConsumer {
    @Override
    public int getMaxRenderedLength() {
      return columns;
    }

    @Override
    public void accept(String rendered) {
      err.print('\r' + rendered);
      err.flush();
    }

    @Override
    public void close() {
      err.print('\r' + " ".repeat(columns) + '\r');
      err.flush();
    }
  }
}
