package dev.heddle.llm;

/** Hears how far the reading of a prompt has come. Called on the thread that reads. */
@FunctionalInterface
public interface PrefillProgress {
  /** Hears nothing. */
  PrefillProgress SILENT = (_, _) -> {};

  /**
   * A part of a layer is done.
   *
   * @param layer the layer, from 0
   * @param fraction share of all the work that is done, 0 to 1; grows from call to call and ends at
   *     1
   */
  void onProgress(int layer, double fraction);
}
