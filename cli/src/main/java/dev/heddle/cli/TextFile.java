package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads text. */
final class TextFile {
  private TextFile() {}

  /**
   * The text of {@code file}, which must be UTF-8.
   *
   * @throws InvalidInputException if it is not, or is empty
   */
  static String read(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    if (!Files.isRegularFile(file)) {
      throw new InvalidInputException(file + " is not a file");
    }
    byte[] bytes = Files.readAllBytes(file);
    if (bytes.length == 0) {
      throw new InvalidInputException(file + " is empty; needed: some text");
    }
    ByteBuffer unread = ByteBuffer.wrap(bytes);
    try {
      // A fresh decoder reports malformed bytes instead of replacing them.
      return StandardCharsets.UTF_8.newDecoder().decode(unread).toString();
    } catch (CharacterCodingException malformed) {
      throw new InvalidInputException(
          "%s is not UTF-8: byte %d begins no character".formatted(file, unread.position()),
          malformed);
    }
  }
}
