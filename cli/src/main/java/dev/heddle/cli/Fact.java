package dev.heddle.cli;

/**
 * Something that is said once in a long text and asked for at its end. The sentences are those that
 * the bundled model was trained on.
 *
 * @param word what the number belongs to
 * @param number six digits
 */
record Fact(String word, String number) {
  /** Ends each answer. */
  static final String END_OF_ANSWER = "]";

  /** Follows the end of an answer that is not the last. */
  static final String BEFORE_NEXT_QUESTION = ". ";

  /** What is planted in the text. */
  String statement() {
    return " The secret number of " + word + " is [" + word + ":" + number + "]. ";
  }

  /** What is asked, up to the place where the number comes. */
  String question() {
    return " What is the secret number of " + word + "? It is [" + word + ":";
  }
}
