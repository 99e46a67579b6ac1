package dev.heddle.llm;

/** Hears of an answer while it is made. Called on the thread that makes it. */
public interface GenerationListener extends PrefillProgress {
  /** Hears nothing. */
  GenerationListener SILENT = new GenerationListener() {};

  @Override
  default void onProgress(int layer, double fraction) {}

  /** A cache was made for the prompt and its answer. */
  default void onCache(CacheKind kind) {}

  /** The next token of the answer was chosen. An end token is not part of it. */
  default void onToken(int token) {}
}
