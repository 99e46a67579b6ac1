package dev.heddle.llm;

import dev.heddle.runtime.SparseAttention;
import java.util.List;

/** Where a model computes: the processor or a GPU. What it is given has been checked. */
interface Engine extends AutoCloseable {
  /**
   * An empty cache of its own kind.
   *
   * @param kept whether something will follow what is read into it; a GPU saves the memory of all
   *     layers but one where nothing will
   */
  KeyValueCache newCache(int capacity, boolean kept);

  /** The kinds of caches that it has, the preferred first. */
  List<CacheKind> cacheKinds();

  /** An empty cache of one of {@link #cacheKinds}, all of which is kept. */
  KeyValueCache newCache(CacheKind kind, int capacity);

  /** What {@link #newCache(CacheKind, int)} takes. */
  CacheSize cacheSize(CacheKind kind, long capacity);

  /** Bytes that {@link #newCache(int, boolean)} takes. */
  long cacheBytes(long capacity, boolean kept);

  /** Bytes that reading {@code tokens} tokens in one pass takes beside the cache. */
  long activationBytes(int tokens);

  /** Bytes that attention takes of the same memory for its indices, the most of all layers. */
  long scratchBytes(SparseAttention attention, int tokens, int keyTokens);

  /** Bytes that caches and activations may take. */
  long availableBytes();

  /** Bytes of the machine's memory that caches may take beside those. */
  default long availableHostBytes() {
    return MachineMemory.availableBytes();
  }

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
