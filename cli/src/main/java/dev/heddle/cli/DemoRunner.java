package dev.heddle.cli;

import dev.heddle.llm.KeyValueCache;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.PrefillProgress;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.SparseAttention;
import dev.heddle.search.Exam;
import dev.heddle.search.Examiner;
import dev.heddle.search.FactExam;
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
  private final Examiner examiner;
  private final PatternRegistry registry;
  private final ComputeOptions compute;
  private final Console console;

  DemoRunner(
      LlamaModel model,
      Examiner examiner,
      PatternRegistry registry,
      ComputeOptions compute,
      Console console) {
    this.model = model;
    this.examiner = examiner;
    this.registry = registry;
    this.compute = compute;
    this.console = console;
  }

  /**
   * Does {@code job} once for each configuration. All are warmed up before the first is timed, so
   * that none pays the JIT compiler for another.
   */
  Map<String, DemoRun> run(Map<String, HeadsConfig> configs, FactExam job) {
    for (int round = 0; round < WARM_UPS; round++) {
      for (HeadsConfig config : configs.values()) {
        warmUp(config, job);
      }
    }
    Map<String, DemoRun> runs = new LinkedHashMap<>();
    configs.forEach((name, config) -> {
      try (SparseAttention attention = attention(config)) {
        runs.put(name, run(name, attention, job));
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

  private DemoRun run(String name, SparseAttention attention, FactExam job) {
    try (StepProgress progress = new StepProgress(console)) {
      return DemoRun.of(examiner.examine(name, attention, job.exam(), progress), job.asked());
    }
  }

  private void warmUp(HeadsConfig config, FactExam job) {
    Exam exam = job.exam();
    int[] prompt = Arrays.copyOf(exam.prompt(), Math.min(WARM_UP_TOKENS, exam.promptTokens()));
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
