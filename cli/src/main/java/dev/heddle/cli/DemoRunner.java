package dev.heddle.cli;

import dev.heddle.llm.KeyValueCache;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.PrefillProgress;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.SparseAttention;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Does one job with several assignments of patterns to heads, everything else being equal. */
final class DemoRunner {
  /** Tokens of a warm-up: more than the length below which every head is dense. */
  static final int WARM_UP_TOKENS = SparseAttention.DENSE_BELOW_KEY_TOKENS + 1024;

  private static final int WARM_UPS = 2;
  private static final int WARM_UP_DECODES = 8;

  private final LlamaModel model;
  private final Conversation conversation;
  private final PatternRegistry registry;
  private final ComputeOptions compute;

  DemoRunner(
      LlamaModel model,
      Conversation conversation,
      PatternRegistry registry,
      ComputeOptions compute) {
    this.model = model;
    this.conversation = conversation;
    this.registry = registry;
    this.compute = compute;
  }

  /**
   * Does {@code job} once for each configuration. All are warmed up before the first is timed, so
   * that none pays the JIT compiler for another.
   */
  Map<String, DemoRun> run(Map<String, HeadsConfig> configs, DemoJob job) {
    for (int round = 0; round < WARM_UPS; round++) {
      for (HeadsConfig config : configs.values()) {
        warmUp(config, job);
      }
    }
    Map<String, DemoRun> runs = new LinkedHashMap<>();
    configs.forEach((name, config) -> {
      try (SparseAttention attention = attention(config)) {
        runs.put(name, conversation.run(name, attention, job));
      }
    });
    return runs;
  }

  /** The backend that computes the attention of every run. */
  String backendName() {
    try (SparseAttention attention = attention(ModelHeads.dense(model.attentionShape()))) {
      return attention.backendName();
    }
  }

  private void warmUp(HeadsConfig config, DemoJob job) {
    int[] prompt = Arrays.copyOf(job.prompt(), Math.min(WARM_UP_TOKENS, job.promptTokens()));
    try (SparseAttention attention = attention(config);
        KeyValueCache cache = model.newCache(prompt.length + WARM_UP_DECODES)) {
      model.prefill(attention, cache, prompt, PrefillProgress.SILENT);
      for (int i = 0; i < WARM_UP_DECODES; i++) {
        model.decode(attention, cache, prompt[i]);
      }
    }
  }

  private SparseAttention attention(HeadsConfig config) {
    return compute.attention(registry, config);
  }
}
