package dev.heddle.llm;

import dev.heddle.llm.ChunkedPrefill.Chunk;
import dev.heddle.runtime.Prefill;

/** The progress of one chunk as a part of the whole prompt's. */
record ChunkProgress(PrefillProgress whole, Chunk chunk, int promptTokens)
    implements PrefillProgress {
  @Override
  public void onProgress(int layer, double fraction) {
    whole.onProgress(layer, (chunk.first() + fraction * chunk.count()) / promptTokens);
  }

  @Override
  public void onAttention(int layer, Prefill attention) {
    whole.onAttention(layer, attention);
  }
}
