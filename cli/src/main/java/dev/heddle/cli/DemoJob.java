package dev.heddle.cli;

import java.util.List;

/** What the model is given to do: a text with facts in it, and questions. */
final class DemoJob {
  private final int[] prompt;
  private final List<Fact> asked;

  /**
   * Makes a job.
   *
   * @param prompt tokens of the text and of the first question; not copied
   * @param asked the facts that are asked for, in this order
   */
  DemoJob(int[] prompt, List<Fact> asked) {
    this.prompt = prompt;
    this.asked = List.copyOf(asked);
  }

  /** A copy of the prompt. */
  int[] prompt() {
    return prompt.clone();
  }

  int promptTokens() {
    return prompt.length;
  }

  List<Fact> asked() {
    return asked;
  }
}
