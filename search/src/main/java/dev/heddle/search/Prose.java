package dev.heddle.search;

import dev.heddle.api.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/** Windows of a real text as tokens, and statements planted in them. */
public final class Prose {
  /** A statement is planted at the next space, unless that is further than this. */
  private static final int FARTHEST_SPACE = 64;

  /** Characters that are tokenized at once: the text is longer than what is used of it. */
  private static final int PIECE_CHARACTERS = 16_384;

  private final Function<String, int[]> tokenizer;
  private final int[] beginning;
  private final String text;

  /**
   * Makes a source of windows.
   *
   * @param tokenizer turns text into tokens, adding none of its own
   * @param beginning tokens that begin every text
   * @param text where windows are taken from
   */
  public Prose(Function<String, int[]> tokenizer, int[] beginning, String text) {
    this.tokenizer = tokenizer;
    this.beginning = beginning.clone();
    this.text = text;
  }

  /** The tokens of {@code piece} inside a text. */
  int[] encode(String piece) {
    return tokenizer.apply(piece);
  }

  /** Starts a prompt of up to {@code capacity} tokens with what begins every text. */
  TokenList start(int capacity) {
    TokenList prompt = new TokenList(capacity);
    prompt.addAll(beginning);
    return prompt;
  }

  /** Tokens that begin every text. */
  int beginningTokens() {
    return beginning.length;
  }

  /** {@code count} tokens of the text, from a random place in it. */
  int[] window(int count, Random random) {
    // A token is at least one character, as far as the text is ASCII.
    int lastStart = text.length() - count;
    if (lastStart < 0) {
      throw new InvalidInputException(
          "the text has %d characters, too few for %d tokens".formatted(text.length(), count));
    }
    int start = random.nextInt(lastStart + 1);
    TokenList window = new TokenList(count);
    while (window.size() < count) {
      int end = Math.min(text.length(), start + PIECE_CHARACTERS);
      int[] piece = tokenizer.apply(text.substring(start, end));
      if (piece.length == 0) {
        throw new InvalidInputException("the text ends before " + count + " tokens of it are read");
      }
      window.addAll(Arrays.copyOf(piece, Math.min(piece.length, count - window.size())));
      start = end;
    }
    return window.toArray();
  }

  /**
   * Adds {@code window} to {@code prompt} with each statement planted near its place.
   *
   * @param places rising places in the window, one for each statement
   */
  void plant(TokenList prompt, int[] window, List<int[]> statements, int[] places) {
    int[] space = tokenizer.apply(" ");
    int written = 0;
    for (int i = 0; i < places.length; i++) {
      int place = Math.max(written, nextSpace(window, places[i], space[0]));
      prompt.addAll(Arrays.copyOfRange(window, written, place));
      prompt.addAll(statements.get(i));
      written = place;
    }
    prompt.addAll(Arrays.copyOfRange(window, written, window.length));
  }

  private static int nextSpace(int[] window, int from, int space) {
    int end = Math.min(window.length, from + FARTHEST_SPACE);
    for (int place = from; place < end; place++) {
      if (window[place] == space) {
        return place;
      }
    }
    return from;
  }
}
