package dev.heddle.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** The bytes of a heads file as text. */
final class HeadsFileText {
  /** A model of a hundred thousand heads, each with an entry of its own, fits. */
  static final int MOST_BYTES = 16 << 20;

  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private HeadsFileText() {}

  static String read(Path file) {
    byte[] bytes = bytes(file);
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      boolean marked = !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK;
      return marked ? text.substring(1) : text;
    } catch (CharacterCodingException notUtf8) {
      throw new HeadsFileException(
          file.toString(), "", "it is not UTF-8 text; allowed: JSON in UTF-8", notUtf8);
    }
  }

  private static byte[] bytes(Path file) {
    String name = file.toString();
    if (Files.isDirectory(file)) {
      throw new HeadsFileException(name, "", "it is a directory; allowed: a JSON file");
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw new HeadsFileException(
            name, "", "it is larger than a heads file may be; allowed: " + MOST_BYTES + " bytes");
      }
      return bytes;
    } catch (NoSuchFileException missing) {
      throw new HeadsFileException(name, "", "there is no such file", missing);
    } catch (AccessDeniedException denied) {
      throw new HeadsFileException(name, "", "it may not be read: access denied", denied);
    } catch (IOException failure) {
      throw new HeadsFileException(name, "", "it cannot be read: " + failure.getMessage(), failure);
    }
  }
}
