package dev.heddle.cli;

import java.nio.charset.StandardCharsets;

/** The tokens of a model that reads bytes: the id of a token is its byte. */
final class ByteTokenizer {
  /** Begins every text. */
  static final int BEGIN = 256;

  private ByteTokenizer() {}

  /** The tokens of {@code text}, none added. */
  static int[] encode(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] tokens = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      tokens[i] = Byte.toUnsignedInt(bytes[i]);
    }
    return tokens;
  }

  /** The text of {@code tokens}; what is no byte becomes a question mark. */
  static String decode(int[] tokens) {
    byte[] bytes = new byte[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      bytes[i] = (byte) (tokens[i] < BEGIN ? tokens[i] : '?');
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
