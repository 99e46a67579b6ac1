package dev.heddle.llm;

import dev.heddle.runtime.SparseAttention;

/**
 * One pass of some tokens through all layers.
 *
 * @param memory its activations
 * @param cache the tokens before these; receives their keys and values
 * @param tokens how many tokens pass
 * @param attention computes the attention
 * @param decoding whether these tokens continue a text one at a time, which is never sparse
 */
record Pass(
    Activations memory,
    HostKeyValueCache cache,
    int tokens,
    SparseAttention attention,
    boolean decoding) {
  /** What is done with the tokens {@code first} to {@code first + count - 1} of the pass. */
  @FunctionalInterface
  interface ChunkTask {
    void run(int first, int count);
  }

  /** Runs {@code task} over the tokens from {@code from} on. */
  void forChunks(int from, ChunkTask task) {
    for (int first = from; first < tokens; first += Activations.CHUNK_TOKENS) {
      task.run(first, Math.min(Activations.CHUNK_TOKENS, tokens - first));
    }
  }

  /** Tokens of the text up to the last of the pass. */
  int keyTokens() {
    return cache.tokens() + tokens;
  }
}
