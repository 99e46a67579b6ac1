package dev.heddle.cli;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Makes {@code .npy} files byte by byte, right and wrong ones. */
final class NpyBytes {
  private NpyBytes() {}

  /** A file of version 1 with the given header text, and zeros for data. */
  static byte[] of(String header, int dataBytes) {
    return of(1, header, new byte[dataBytes]);
  }

  /** A right header with another type, order or shape. */
  static String header(String descr, String fortranOrder, String shape) {
    return "{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n"
        .formatted(descr, fortranOrder, shape);
  }

  /** A file of the given version, header text and data. */
  static byte[] of(int version, String header, byte[] data) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    int lengthBytes = version == 1 ? Short.BYTES : Integer.BYTES;
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + lengthBytes + text.length + data.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put((byte) 0x93)
            .put("NUMPY".getBytes(StandardCharsets.US_ASCII))
            .put((byte) version)
            .put((byte) 0);
    if (version == 1) {
      bytes.putShort((short) text.length);
    } else {
      bytes.putInt(text.length);
    }
    return bytes.put(text).put(data).array();
  }
}
