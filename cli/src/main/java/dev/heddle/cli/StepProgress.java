package dev.heddle.cli;

import dev.heddle.search.StepListener;

/** Shows long work as one progress bar after the other, each named after what is being done. */
final class StepProgress implements StepListener, AutoCloseable {
  private static final int STEPS = 1000;

  private final Console console;
  private String doing = "";
  private Progress bar = Progress.SILENT;

  StepProgress(Console console) {
    this.console = console;
  }

  @Override
  public void onStep(String nowDoing, double fraction) {
    if (!nowDoing.equals(doing)) {
      bar.close();
      bar = console.progress(nowDoing, STEPS);
      doing = nowDoing;
    }
    bar.stepTo((long) (fraction * STEPS));
  }

  @Override
  public void close() {
    bar.close();
    bar = Progress.SILENT;
    doing = "";
  }
}
