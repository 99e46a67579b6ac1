package dev.heddle.search;

import java.util.List;

/**
 * Something that is said once in a long text and asked for at its end. The sentences are those that
 * the bundled model was trained on.
 *
 * @param word what the number belongs to
 * @param number six digits
 */
public record Fact(String word, String number) {
  /** Ends each answer. */
  public static final String END_OF_ANSWER = "]";

  /** Follows the end of an answer that is not the last. */
  private static final String BEFORE_NEXT_QUESTION = ". ";

  /** Six digits and the bracket. */
  private static final int ANSWER_TOKENS = 7;

  /** What is planted in the text. */
  public String statement() {
    return " The secret number of " + word + " is [" + word + ":" + number + "]. ";
  }

  /** What is asked, up to the place where the number comes. */
  public String question() {
    return " What is the secret number of " + word + "? It is [" + word + ":";
  }

  /** The question as one of an exam, put behind the answer to another. */
  Question asQuestion() {
    return new Question(
        END_OF_ANSWER + BEFORE_NEXT_QUESTION + question(),
        List.of(number + END_OF_ANSWER),
        END_OF_ANSWER,
        ANSWER_TOKENS);
  }
}
