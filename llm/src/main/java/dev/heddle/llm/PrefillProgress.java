package dev.heddle.llm;

import dev.heddle.runtime.Prefill;

/**
 * Hears how far the reading of a prompt has come, and may look at the attention of each layer.
 * Called on the thread that reads.
 */
@FunctionalInterface
public interface PrefillProgress {
  /** Hears nothing. */
  PrefillProgress SILENT = (_, _) -> {};

  /**
   * A part of a layer is done.
   *
   * @param layer the layer, from 0; a prompt in chunks passes all layers once for each chunk
   * @param fraction share of all the work that is done, 0 to 1; grows from call to call and ends at
   *     1
   */
  void onProgress(int layer, double fraction);

  /**
   * The attention of a layer has been computed, over the prompt or a chunk of it. Called where the
   * model computes on the processor.
   *
   * @param layer the layer, from 0
   * @param attention Q, K and V after position encoding, and the output; may be read until this
   *     returns, and is overwritten afterwards
   */
  default void onAttention(int layer, Prefill attention) {}
}
