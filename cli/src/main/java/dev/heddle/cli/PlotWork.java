package dev.heddle.cli;

import dev.heddle.runtime.AttentionPlan;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.Prefill;
import dev.heddle.runtime.SparseAttention;

/** What looks at a model's attention while the model reads a prompt, and paints what it saw. */
interface PlotWork extends AutoCloseable {
  /** A layer's attention has been computed, densely. */
  void look(int layer, Prefill attention);

  /** The picture. */
  Canvas paint();

  /** The picture in numbers. */
  Result result();

  @Override
  void close();

  /**
   * What is looked at.
   *
   * @param model the name of the model
   * @param tokens length of the prompt
   * @param heads what every head is to use
   * @param plan the same, looked up: the pattern and options of every head
   * @param out the name of the picture's file
   */
  record Setting(String model, int tokens, HeadsConfig heads, AttentionPlan plan, String out) {}

  /** Who computes. */
  record Engine(PatternRegistry registry, int threads) {
    /**
     * A façade on the processor, where the model's Q, K and V are, in which every head computes
     * what its pattern says, however short the prompt.
     */
    SparseAttention attention(HeadsConfig heads) {
      return SparseAttention.builder()
          .registry(registry)
          .heads(heads)
          .backend(PlotPromptCommand.BACKEND)
          .threads(threads)
          .denseBelow(0)
          .build();
    }
  }
}
