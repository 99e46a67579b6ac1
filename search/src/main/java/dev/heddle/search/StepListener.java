package dev.heddle.search;

/** Hears how far a long piece of work has come. Called on the thread that works. */
@FunctionalInterface
public interface StepListener {
  /** Hears nothing. */
  StepListener SILENT = (_, _) -> {};

  /**
   * A step is done.
   *
   * @param doing what is being done, in a few words
   * @param fraction share of all the work that is done, 0 to 1; never falls while {@code doing}
   *     stays the same
   */
  void onStep(String doing, double fraction);
}
