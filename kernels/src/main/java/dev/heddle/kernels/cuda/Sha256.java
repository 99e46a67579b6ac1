package dev.heddle.kernels.cuda;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.function.Consumer;

/** Sums that tell whether texts or bytes are the same. */
final class Sha256 {
  private Sha256() {}

  /** The sum of what {@code content} hands over. */
  static byte[] of(Consumer<MessageDigest> content) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      content.accept(digest);
      return digest.digest();
    } catch (NoSuchAlgorithmException impossible) { // every Java has it
      throw new IllegalStateException(impossible);
    }
  }

  /** The sum of a list of texts; where one ends and the next begins counts. */
  static byte[] of(List<String> texts) {
    return of(digest -> {
      for (String text : texts) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
        digest.update(bytes);
      }
    });
  }
}
