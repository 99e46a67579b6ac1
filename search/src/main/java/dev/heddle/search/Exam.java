package dev.heddle.search;

import java.util.List;

/** A text to read, and questions about it that are asked one after the other. */
public final class Exam {
  private final int[] prompt;
  private final List<Question> questions;

  /**
   * Makes an exam.
   *
   * @param prompt tokens of the text and of the first question; not copied
   * @param questions the questions, the first of which ends the prompt
   */
  Exam(int[] prompt, List<Question> questions) {
    this.prompt = prompt;
    this.questions = List.copyOf(questions);
  }

  /** A copy of the tokens of text and first question. */
  public int[] prompt() {
    return prompt.clone();
  }

  /** Tokens of text and first question. */
  public int promptTokens() {
    return prompt.length;
  }

  /** The questions. */
  public List<Question> questions() {
    return questions;
  }
}
