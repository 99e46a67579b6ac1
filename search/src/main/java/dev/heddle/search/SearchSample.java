package dev.heddle.search;

import dev.heddle.api.InvalidInputException;
import java.util.ArrayList;
import java.util.List;

/**
 * A prompt that a search reads, and what follows it: texts that are read one after the other behind
 * the prompt, and of which the ends are what matters, such as questions with their answers.
 */
public final class SearchSample {
  private final int[] prompt;
  private final List<Continuation> continuations;

  private SearchSample(int[] prompt, List<Continuation> continuations) {
    if (prompt.length < 2) {
      throw new InvalidInputException("a sample has fewer than 2 tokens");
    }
    this.prompt = prompt.clone();
    this.continuations = List.copyOf(continuations);
  }

  /** A text that follows, of which the last {@code answerTokens} are an answer. */
  static final class Continuation {
    private final int[] tokens;
    private final int answerTokens;

    Continuation(int[] tokens, int answerTokens) {
      this.tokens = tokens.clone();
      this.answerTokens = answerTokens;
    }

    int[] tokens() {
      return tokens.clone();
    }

    int length() {
      return tokens.length;
    }

    /** The places behind which a token of the answer stands, but for what the text before says. */
    int[] answerPositions() {
      int first = Math.max(0, tokens.length - answerTokens - 1);
      int[] positions = new int[tokens.length - 1 - first];
      for (int i = 0; i < positions.length; i++) {
        positions[i] = first + i;
      }
      return positions;
    }
  }

  /** A prompt that nothing follows. */
  public static SearchSample of(int[] prompt) {
    return new SearchSample(prompt, List.of());
  }

  /** A text with facts, followed by the right answer to its question, and more of both. */
  public static SearchSample of(FactExam exam, Prose prose) {
    List<Continuation> continuations = new ArrayList<>();
    for (Fact fact : exam.asked()) {
      String before = continuations.isEmpty() ? "" : fact.asQuestion().text();
      int[] answer = prose.encode(fact.number());
      continuations.add(new Continuation(prose.encode(before + fact.number()), answer.length));
    }
    return new SearchSample(exam.exam().prompt(), continuations);
  }

  /** A copy of the prompt's tokens. */
  int[] prompt() {
    return prompt.clone();
  }

  int promptTokens() {
    return prompt.length;
  }

  List<Continuation> continuations() {
    return continuations;
  }

  /** Tokens of the prompt and all that follows. */
  int tokens() {
    return prompt.length + continuations.stream().mapToInt(Continuation::length).sum();
  }
}
