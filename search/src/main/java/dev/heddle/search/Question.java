package dev.heddle.search;

import java.util.List;

/**
 * Something that is asked about a text.
 *
 * @param text what is put behind the answer to the question before; the first question of an exam
 *     is part of its prompt
 * @param expected what a right answer contains, all of it
 * @param end ends an answer
 * @param mostTokens tokens after which an answer ends in any case
 */
public record Question(String text, List<String> expected, String end, int mostTokens) {
  public Question {
    expected = List.copyOf(expected);
  }

  /** Whether {@code answer} contains all that is expected. */
  public boolean accepts(String answer) {
    return expected.stream().allMatch(answer::contains);
  }
}
