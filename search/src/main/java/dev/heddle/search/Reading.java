package dev.heddle.search;

import dev.heddle.runtime.PrefillReport;
import java.util.List;

/**
 * One reading of an exam's text, and the answers.
 *
 * @param firstTokenNanos from the prompt to the first token of the first answer, wall clock
 * @param layers what the attention of each layer computed for the prompt
 * @param answers what was answered, in the order of the questions
 */
public record Reading(long firstTokenNanos, List<PrefillReport> layers, List<Answer> answers) {
  public Reading {
    layers = List.copyOf(layers);
    answers = List.copyOf(answers);
  }

  /** What the model answered. */
  public record Answer(Question question, String text) {
    /** Whether that is all that was expected. */
    public boolean right() {
      return question.accepts(text);
    }
  }

  /** Answers that are right. */
  public int right() {
    return Math.toIntExact(answers.stream().filter(Answer::right).count());
  }

  /** Time spent on building indices for the prompt. */
  public long indexNanos() {
    return layers.stream().mapToLong(PrefillReport::indexNanos).sum();
  }

  /** Time spent on attention over the prompt. */
  public long attentionNanos() {
    return layers.stream().mapToLong(PrefillReport::attentionNanos).sum();
  }

  /** Projections, feed-forward, embedding, logits. */
  public long restNanos() {
    return firstTokenNanos - indexNanos() - attentionNanos();
  }

  /** Cells computed as a share of those of dense attention, over all layers and heads. */
  public double density() {
    return layers.stream().mapToDouble(PrefillReport::density).average().orElse(1);
  }
}
