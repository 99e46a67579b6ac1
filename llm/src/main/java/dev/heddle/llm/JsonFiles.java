package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads JSON from files that are not trusted: strictly, and with limits on size and depth. */
final class JsonFiles {
  /** The index of a model of a hundred thousand tensors fits. */
  static final int MOST_BYTES = 32 << 20;

  private static final int DEEPEST_NESTING = 32;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(DEEPEST_NESTING).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private JsonFiles() {}

  /**
   * Reads a JSON object from {@code file}.
   *
   * @throws InvalidInputException if the file cannot be read or holds anything else
   */
  static JsonPlace readObject(Path file) {
    return parseObject(file.toString(), bytes(file));
  }

  /** Parses {@code json}, which is all or part of the file called {@code name}. */
  static JsonPlace parseObject(String name, byte[] json) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
      JsonNode root = MAPPER.readTree(text);
      return new JsonPlace(name, "", root).requireObject();
    } catch (CharacterCodingException notUtf8) {
      throw new InvalidInputException(name + ": it is not UTF-8; allowed: JSON in UTF-8", notUtf8);
    } catch (JacksonException bad) {
      throw new InvalidInputException(name + ": it is not JSON" + described(bad), bad);
    }
  }

  private static byte[] bytes(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw new InvalidInputException(
            file + ": it is too large; allowed: at most " + MOST_BYTES + " bytes");
      }
      return bytes;
    } catch (IOException failure) {
      throw unreadable(file, failure);
    }
  }

  /** The error that {@code file} cannot be read. */
  static InvalidInputException unreadable(Path file, IOException failure) {
    String reason =
        switch (failure) {
          case NoSuchFileException _ -> "there is no such file";
          case AccessDeniedException _ -> "access is denied";
          default -> Files.isDirectory(file) ? "it is a folder, not a file" : failure.toString();
        };
    return new InvalidInputException(file + ": it cannot be read: " + reason, failure);
  }

  private static String described(JacksonException bad) {
    TokenStreamLocation location = bad.getLocation();
    String place =
        location == null || location.getLineNr() < 1
            ? ""
            : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
    return place + ": " + bad.getOriginalMessage().lines().findFirst().orElse("");
  }
}
