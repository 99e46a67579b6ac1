package dev.heddle.llm;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * Turns text into token ids and back, as a folder's {@code tokenizer.json} says. Works without a
 * network; the tokenizer library's usage reporting and downloads are switched off by the system
 * properties {@code OPT_OUT_TRACKING} and {@code ai.djl.offline}, unless the application has set
 * them.
 *
 * <p>Safe for use by several threads. {@link #close} frees native memory; calls after it fail.
 */
public final class TextTokenizer implements AutoCloseable {
  static {
    // Read once, when the library's first class loads, which is why they are set here.
    setUnlessGiven("OPT_OUT_TRACKING", "true");
    setUnlessGiven("ai.djl.offline", "true");
  }

  /** A prompt must be neither cut nor filled up, whatever the file says. */
  private static final Map<String, String> SETTINGS =
      Map.of("truncation", "false", "padding", "false");

  private final HuggingFaceTokenizer tokenizer;

  private TextTokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Opens a tokenizer file.
   *
   * @param file a {@code tokenizer.json}
   * @throws InvalidInputException if it cannot be read or is no tokenizer
   */
  public static TextTokenizer open(Path file) {
    requireJson(file);
    try {
      return new TextTokenizer(HuggingFaceTokenizer.newInstance(file, SETTINGS));
    } catch (IOException failure) {
      throw JsonFiles.unreadable(file, failure);
    } catch (RuntimeException broken) { // the native library has no type of its own for it
      throw new InvalidInputException(
          file + ": it is no tokenizer: " + broken.getMessage(), broken);
    }
  }

  /**
   * The token ids of {@code text}, with those that the tokenizer puts around a text, such as a
   * begin-of-text token.
   */
  public int[] encode(String text) {
    return ids(text, true);
  }

  /** The token ids of {@code text} alone, for text that follows other text. */
  public int[] encodeContinuation(String text) {
    return ids(text, false);
  }

  /**
   * The text of {@code tokens}, without special tokens. Bytes that are no UTF-8 become U+FFFD.
   *
   * @see #stream for tokens that come one at a time
   */
  public String decode(int... tokens) {
    return tokenizer.decode(Arrays.stream(tokens).asLongStream().toArray(), true);
  }

  /** Starts a text that is decoded token by token. */
  public TextStream stream() {
    return new TextStream(this);
  }

  /** Frees the native tokenizer. */
  @Override
  public void close() {
    tokenizer.close();
  }

  private int[] ids(String text, boolean specialTokens) {
    long[] ids = tokenizer.encode(text, specialTokens, false).getIds();
    return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
  }

  /** The library's own messages for these cases do not name the file. */
  private static void requireJson(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new InvalidInputException(
          file + ": there is no such file; allowed: the tokenizer.json of a model folder");
    }
    if (!Files.isReadable(file)) {
      throw JsonFiles.unreadable(file, new AccessDeniedException(file.toString()));
    }
  }

  private static void setUnlessGiven(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }
}
