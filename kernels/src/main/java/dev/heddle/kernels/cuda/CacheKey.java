package dev.heddle.kernels.cuda;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * Everything that compiled kernels depend on, as bytes. Two keys are the same if all of their bytes
 * are; {@link #name} only finds the file. (No cryptographic sum: a JVM that has just started takes
 * 30 ms to load SHA-256 and to sum the texts, ten times what comparing them takes.)
 */
final class CacheKey {
  private final byte[] content;
  private final long name;

  private CacheKey(byte[] content) {
    this.content = content;
    CRC32 one = new CRC32();
    one.update(content);
    CRC32C other = new CRC32C();
    other.update(content, 0, content.length);
    name = one.getValue() << Integer.SIZE | other.getValue();
  }

  /** A list of texts; where one ends and the next begins counts. */
  static CacheKey of(List<String> texts) {
    byte[][] parts = new byte[texts.size()][];
    int bytes = 0;
    for (int i = 0; i < parts.length; i++) {
      parts[i] = texts.get(i).getBytes(StandardCharsets.UTF_8);
      bytes += Integer.BYTES + parts[i].length;
    }
    ByteBuffer content = ByteBuffer.allocate(bytes);
    for (byte[] part : parts) {
      content.putInt(part.length).put(part);
    }
    return new CacheKey(content.array());
  }

  /** A sum of the content, the same for the same content and hardly ever for another. */
  long name() {
    return name;
  }

  int length() {
    return content.length;
  }

  void writeTo(ByteBuffer target) {
    target.put(content);
  }

  /** Whether {@code bytes} hold the content, from {@code from} on. */
  boolean isAt(byte[] bytes, int from) {
    int end = from + content.length;
    return end <= bytes.length && Arrays.equals(bytes, from, end, content, 0, content.length);
  }
}
