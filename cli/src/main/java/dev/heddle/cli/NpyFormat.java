package dev.heddle.cli;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Headers of {@code .npy} files: a magic word, a version, and a Python dictionary with the keys
 * {@code descr}, {@code fortran_order} and {@code shape}.
 *
 * @see <a href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html">The NPY
 *     format</a>
 */
final class NpyFormat {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

  /** Magic, version (2 bytes) and, in version 1, the length of the text (2 bytes). */
  private static final int PREFIX_BYTES = 10;

  /** NumPy writes about 100 characters; a header that is longer than this is not one. */
  private static final int LONGEST_TEXT = 65_536;

  /** Numbers begin at a multiple of this, as NumPy writes them. */
  private static final int ALIGNMENT = 64;

  private NpyFormat() {}

  /**
   * Reads the header from the start of {@code channel}.
   *
   * @param name the file, for messages
   * @throws InvalidInputException if the file is not one that Heddle reads
   */
  static NpyHeader read(FileChannel channel, String name) throws IOException {
    ByteBuffer prefix = bytes(channel, name, 0, 12);
    requireMagic(prefix, name);
    int version = prefix.get(6);
    if (version < 1 || version > 3 || prefix.get(7) != 0) {
      throw new InvalidInputException(
          "%s: .npy version %d.%d; allowed: 1.0, 2.0, 3.0"
              .formatted(name, version & 0xFF, prefix.get(7) & 0xFF));
    }
    int start = version == 1 ? PREFIX_BYTES : PREFIX_BYTES + 2;
    long length =
        version == 1 ? prefix.getShort(8) & 0xFFFF : Integer.toUnsignedLong(prefix.getInt(8));
    if (length > LONGEST_TEXT || start + length > channel.size()) {
      throw new InvalidInputException(
          "%s: the header says that it is %d bytes long, in a file of %d bytes"
              .formatted(name, length, channel.size()));
    }
    String text =
        StandardCharsets.UTF_8.decode(bytes(channel, name, start, (int) length)).toString();
    return header(name, text, start + length);
  }

  /**
   * The bytes of a header for numbers of {@code type} in C order.
   *
   * @param type float32 or float16: NumPy has no bfloat16
   */
  static byte[] encode(ElementType type, List<Long> shape) {
    String axes = shape.stream().map(String::valueOf).collect(Collectors.joining(", "));
    String text =
        "{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }"
            .formatted(descr(type), axes, shape.size() == 1 ? "," : "");
    int total = Math.ceilDiv(PREFIX_BYTES + text.length() + 1, ALIGNMENT) * ALIGNMENT;
    byte[] padded = new byte[total];
    Arrays.fill(padded, (byte) ' ');
    padded[total - 1] = '\n';
    ByteBuffer.wrap(padded)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(MAGIC)
        .put((byte) 1)
        .put((byte) 0)
        .putShort((short) (total - PREFIX_BYTES))
        .put(text.getBytes(StandardCharsets.US_ASCII));
    return padded;
  }

  private static void requireMagic(ByteBuffer prefix, String name) {
    byte[] found = new byte[MAGIC.length];
    prefix.get(0, found);
    if (Arrays.equals(found, MAGIC)) {
      return;
    }
    if (found[0] == 'P' && found[1] == 'K') {
      throw new InvalidInputException(
          name + ": this is a zip archive (.npz); save each array with numpy.save instead");
    }
    if (found[0] == (byte) 0x80) {
      throw new InvalidInputException(
          name + ": this is a Python pickle, which is never loaded; save the array as .npy");
    }
    throw new InvalidInputException(
        name + ": this is not a .npy file: it does not begin with \\x93NUMPY");
  }

  private static NpyHeader header(String name, String text, long dataOffset) {
    Map<String, Object> fields;
    try {
      fields = PythonLiteral.dictionary(text.strip());
    } catch (InvalidInputException malformed) {
      throw new InvalidInputException(name + ": header: " + malformed.getMessage(), malformed);
    }
    if (fields.size() != 3) {
      throw wrongKeys(name, fields);
    }
    ElementType type = type(name, field(name, fields, "descr"));
    requireCOrder(name, field(name, fields, "fortran_order"));
    return new NpyHeader(type, shape(name, field(name, fields, "shape")), dataOffset);
  }

  private static Object field(String name, Map<String, Object> fields, String key) {
    Object value = fields.get(key);
    if (value == null) {
      throw wrongKeys(name, fields);
    }
    return value;
  }

  private static InvalidInputException wrongKeys(String name, Map<String, Object> fields) {
    return new InvalidInputException(
        "%s: the header has the keys %s; needed: descr, fortran_order, shape"
            .formatted(name, fields.keySet().stream().sorted().toList()));
  }

  private static ElementType type(String name, Object descr) {
    String remedy =
        switch (String.valueOf(descr)) {
          case "<f4" -> "";
          case "<f2" -> "";
          case ">f4", ">f2" -> "big-endian numbers; convert with array.astype('<f4')";
          case "<f8", ">f8" -> "float64 numbers; convert with array.astype('float32')";
          case "|O", "O" -> "Python objects (pickled), which are never loaded";
          case "<V2", "|V2" ->
              "raw 2-byte items; NumPy has no bfloat16, save such arrays as .safetensors";
          default -> descr instanceof List<?> ? "structured numbers" : "not a type of Q, K or V";
        };
    if (!remedy.isEmpty()) {
      throw new InvalidInputException(
          "%s: descr is %s: %s; allowed: '<f4' (float32), '<f2' (float16)"
              .formatted(name, PythonLiteral.show(descr), remedy));
    }
    return "<f4".equals(descr) ? ElementType.FLOAT32 : ElementType.FLOAT16;
  }

  private static void requireCOrder(String name, Object fortranOrder) {
    if (Boolean.TRUE.equals(fortranOrder)) {
      throw new InvalidInputException(
          name + ": the array is in Fortran order; convert with numpy.ascontiguousarray(array)");
    }
    if (!Boolean.FALSE.equals(fortranOrder)) {
      throw new InvalidInputException(
          "%s: fortran_order is %s; allowed: False"
              .formatted(name, PythonLiteral.show(fortranOrder)));
    }
  }

  private static List<Long> shape(String name, Object shape) {
    if (!(shape instanceof List<?> axes) || !axes.stream().allMatch(Long.class::isInstance)) {
      throw new InvalidInputException(
          "%s: shape is %s; allowed: a tuple of integers"
              .formatted(name, PythonLiteral.show(shape)));
    }
    return axes.stream().map(Long.class::cast).toList();
  }

  private static String descr(ElementType type) {
    return switch (type) {
      case FLOAT32 -> "<f4";
      case FLOAT16 -> "<f2";
      case BFLOAT16 -> throw new IllegalArgumentException("NumPy has no bfloat16");
    };
  }

  private static ByteBuffer bytes(FileChannel channel, String name, long from, int count)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, from + buffer.position()) < 0) {
        throw new InvalidInputException(
            "%s: the file ends after %d bytes, within the header".formatted(name, channel.size()));
      }
    }
    return buffer.flip();
  }
}
