package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.HeddleException;
import dev.heddle.runtime.SparseAttention;

/** A reading whose thread is interrupted halfway. */
final class InterruptedReading {
  private InterruptedReading() {}

  /** Asserts that it ends, says so, stays interrupted and leaves an empty cache empty. */
  static void assertEnds(
      LlamaModel model, SparseAttention attention, KeyValueCache cache, int[] text) {
    assertThatThrownBy(() ->
            model.prefill(
                attention,
                cache,
                text,
                (_, fraction) -> {
                  if (fraction >= 0.5) {
                    Thread.currentThread().interrupt();
                  }
                }))
        .isInstanceOf(HeddleException.class)
        .hasMessageContaining("interrupted");
    assertThat(Thread.interrupted()).isTrue();
    assertThat(cache.tokens()).isZero();
  }
}
