package dev.heddle.llm;

import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.SparseAttention;
import java.util.Map;

/** Façades and settings for tests of what the processor computes, whatever else is there. */
final class Attentions {
  private static final String BACKEND = "vector";

  /** How a model computes on the processor. */
  static final LlamaModel.Settings PROCESSOR = LlamaModel.Settings.standard().withBackend(BACKEND);

  private Attentions() {}

  /** Every head reads every key. */
  static SparseAttention dense(ModelShape shape) {
    return uniform(shape, "dense", Map.of());
  }

  /** One pattern in all heads, however short the prompt. */
  static SparseAttention uniform(ModelShape shape, String pattern, Map<String, ?> options) {
    return SparseAttention.builder()
        .heads(HeadsConfig.uniform(shape, pattern, options))
        .denseBelow(0)
        .backend(BACKEND)
        .build();
  }
}
