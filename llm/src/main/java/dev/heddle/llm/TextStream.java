package dev.heddle.llm;

import java.util.Arrays;

/**
 * Decodes tokens as they come. A character whose bytes are spread over several tokens is held back
 * until it is whole, and a token whose text depends on the one before it (a leading blank) is
 * decoded together with it. Not safe for use by several threads.
 */
public final class TextStream {
  private static final char REPLACEMENT = '\uFFFD';

  private final TextTokenizer tokenizer;
  private int[] tokens = new int[64];
  private int count;

  /** Tokens from here on are decoded; the text of those before is out and no longer matters. */
  private int contextStart;

  /** The text of the tokens before this one is out. */
  private int shownEnd;

  TextStream(TextTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Takes the next token; returns the text that is now certain, which may be empty. */
  public String append(int token) {
    if (count == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * count);
    }
    tokens[count++] = token;
    String text = decode(count);
    if (!text.isEmpty() && text.charAt(text.length() - 1) == REPLACEMENT) {
      return "";
    }
    return show(text);
  }

  /** What was held back, with U+FFFD for bytes that never became a character. */
  public String end() {
    return show(decode(count));
  }

  private String show(String text) {
    String shown = decode(shownEnd);
    contextStart = shownEnd;
    shownEnd = count;
    return text.length() > shown.length() ? text.substring(shown.length()) : "";
  }

  private String decode(int end) {
    return end == contextStart
        ? ""
        : tokenizer.decode(Arrays.copyOfRange(tokens, contextStart, end));
  }
}
