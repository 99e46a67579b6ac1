package dev.heddle.runtime;

/** Stub: see the brief. */
public interface SparseAttention extends AutoCloseable {
  PrefillReport prefill(int layer, Prefill prefill);

  void decode(int layer, Prefill prefill);

  @Override
  void close();
}
