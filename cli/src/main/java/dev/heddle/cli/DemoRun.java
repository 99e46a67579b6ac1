package dev.heddle.cli;

import dev.heddle.runtime.PrefillReport;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One reading of the text, and its answers.
 *
 * @param firstTokenNanos from the prompt to the first token of the first answer, wall clock
 * @param layers what the attention of each layer computed for the prompt
 * @param answers what was answered, in the order of the questions
 */
record DemoRun(long firstTokenNanos, List<PrefillReport> layers, List<Answer> answers) {
  DemoRun {
    layers = List.copyOf(layers);
    answers = List.copyOf(answers);
  }

  /** What the model answered to a question about {@code fact}. */
  record Answer(Fact fact, String text) {
    boolean right() {
      return text.equals(fact.number() + Fact.END_OF_ANSWER);
    }
  }

  /** Answers that are right in every digit. */
  long right() {
    return answers.stream().filter(Answer::right).count();
  }

  long indexNanos() {
    return layers.stream().mapToLong(PrefillReport::indexNanos).sum();
  }

  long attentionNanos() {
    return layers.stream().mapToLong(PrefillReport::attentionNanos).sum();
  }

  /** Projections, feed-forward, embedding, logits. */
  long restNanos() {
    return firstTokenNanos - indexNanos() - attentionNanos();
  }

  /** Cells computed as a share of those of dense attention, over all layers and heads. */
  double density() {
    return layers.stream().mapToDouble(PrefillReport::density).average().orElse(1);
  }

  Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("firstTokenSeconds", Shown.toSeconds(firstTokenNanos));
    object.put("indexSeconds", Shown.toSeconds(indexNanos()));
    object.put("attentionSeconds", Shown.toSeconds(attentionNanos()));
    object.put("restSeconds", Shown.toSeconds(restNanos()));
    object.put("density", density());
    object.put("right", right());
    object.put("answers", answers.stream().map(DemoRun::json).toList());
    return object;
  }

  private static Map<String, Object> json(Answer answer) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("word", answer.fact().word());
    object.put("number", answer.fact().number());
    object.put("answer", answer.text());
    object.put("right", answer.right());
    return object;
  }
}
