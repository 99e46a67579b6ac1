package dev.heddle.search;

import java.util.List;

/**
 * A text with facts planted in it, and questions about some of them.
 *
 * @param exam text and questions
 * @param asked the facts that are asked for, in the order of the questions
 */
public record FactExam(Exam exam, List<Fact> asked) {
  public FactExam {
    asked = List.copyOf(asked);
  }
}
