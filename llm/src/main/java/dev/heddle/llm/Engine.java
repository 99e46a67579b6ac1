package dev.heddle.llm;

import dev.heddle.runtime.SparseAttention;

/** Where a model computes: the processor or a GPU. What it is given has been checked. */
interface Engine extends AutoCloseable {
  /** An empty cache of its own kind. */
  KeyValueCache newCache(int capacity);

  /** Bytes that {@link #newCache} takes. */
  long cacheBytes(long capacity);

  /** Bytes that reading {@code tokens} tokens in one pass takes beside the cache. */
  long activationBytes(int tokens);

  /** Bytes that caches and activations may take. */
  long availableBytes();

  /** Reads tokens, and gives the logits at some of them. */
  Prefilled prefill(
      SparseAttention attention,
      KeyValueCache cache,
      int[] tokens,
      int[] positions,
      PrefillProgress progress);

  /** Reads one token, every head reading all keys; gives the logits behind it. */
  Logits decode(SparseAttention attention, KeyValueCache cache, int token);

  @Override
  void close();
}
