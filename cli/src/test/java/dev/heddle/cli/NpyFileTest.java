package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NpyFileTest {
  private static final String RIGHT = NpyBytes.header("'<f4'", "False", "(2, 3, 4)");
  private static final int RIGHT_BYTES = 2 * 3 * 4 * Float.BYTES;

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void readsEveryVersion(int version) throws IOException {
    byte[] data = new byte[RIGHT_BYTES];
    data[23 * Float.BYTES + 3] = 0x40; // the last number is 2.0f
    Path file = Files.write(folder.resolve("a.npy"), NpyBytes.of(version, RIGHT, data));
    try (Arena arena = Arena.ofShared()) {
      HeadTensor tensor = NpyFile.map(file, arena);
      assertThat(tensor.type()).isEqualTo(ElementType.FLOAT32);
      assertThat(List.of(tensor.heads(), tensor.tokens(), tensor.headDim()))
          .containsExactly(2, 3, 4);
      assertThat(tensor.head(1).get(2, 3)).isEqualTo(2.0f);
      assertThat(tensor.head(1).get(2, 2)).isZero();
    }
  }

  @Test
  void readsFloat16AndOtherSpacing() throws IOException {
    Path file =
        Files.write(
            folder.resolve("a.npy"),
            NpyBytes.of("{\"shape\":(1,2,2),\"fortran_order\":False,\"descr\":\"<f2\"}  \n", 8));
    try (Arena arena = Arena.ofShared()) {
      assertThat(NpyFile.map(file, arena).type()).isEqualTo(ElementType.FLOAT16);
    }
  }

  @ParameterizedTest
  @MethodSource("encodedShapes")
  void headersThatAreWrittenReadBack(List<Long> shape) throws IOException {
    byte[] header = NpyFormat.encode(ElementType.FLOAT16, shape);
    assertThat(header.length % 64).isZero();
    assertThat(header[header.length - 1]).isEqualTo((byte) '\n');
    Path file = Files.write(folder.resolve("a.npy"), header);
    try (FileChannel channel = FileChannel.open(file)) {
      assertThat(NpyFormat.read(channel, "a.npy"))
          .isEqualTo(new NpyHeader(ElementType.FLOAT16, shape, header.length));
    }
  }

  static Stream<List<Long>> encodedShapes() {
    return Stream.of(
        List.of(1L), List.of(8L, 4224L), List.of(1L, 1L, 1L), List.of(64L, 1_048_576L, 256L));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badFiles")
  void refusesBadFiles(String what, byte[] bytes, String... words) throws IOException {
    Path file = Files.write(folder.resolve("bad.npy"), bytes);
    try (Arena arena = Arena.ofShared()) {
      assertThatThrownBy(() -> NpyFile.map(file, arena))
          .as(what)
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining(file.toString())
          .hasMessageContainingAll(words);
    }
  }

  static Stream<Arguments> badFiles() {
    byte[] right = NpyBytes.of(RIGHT, RIGHT_BYTES);
    return Stream.of(
            Stream.of(
                file("empty", new byte[0], "ends after 0 bytes"),
                file("magic alone", Arrays.copyOf(right, 6), "ends after 6 bytes"),
                file("text", "0.1 0.2 0.3 0.4".getBytes(StandardCharsets.UTF_8), "not a .npy"),
                file("pickle", changed(right, 0, 0x80), "pickle", "never loaded"),
                file("npz", changed(changed(right, 0, 'P'), 1, 'K'), ".npz", "numpy.save"),
                file("version 0", changed(right, 6, 0), "version 0.0", "1.0, 2.0, 3.0"),
                file("version 4", changed(right, 6, 4), "version 4.0"),
                file("version 1.1", changed(right, 7, 1), "version 1.1"),
                file("length beyond the file", changed(right, 9, 0x7F), "header", "bytes long"),
                file("data cut off", Arrays.copyOf(right, right.length - 1), "96 bytes", "95"),
                file("data too long", Arrays.copyOf(right, right.length + 1), "96 bytes", "97"),
                file("header cut off", Arrays.copyOf(right, 40), "header", "in a file of 40"),
                file("4 GiB header", hugeHeader(), "4294967295 bytes long")),
            Stream.of(
                header("no dictionary", "[1, 2]", "character 1", "'{'"),
                header("empty text", "", "the end", "'{'"),
                header("never closed", "{'descr': '<f4'", "the end", "'}'"),
                header("code", "{'descr': exit(), }", "'e'", "a string, a number"),
                header("more after the end", RIGHT.strip() + " x", "'x'"),
                header("open string", "{'descr: 1}", "a string"),
                header("key twice", "{'shape': (1,), 'shape': (1,)}", "'shape'", "twice"),
                header("key missing", "{'descr': '<f4', 'shape': (1, 1, 1)}", "fortran_order"),
                header("key too many", RIGHT.replace("}", "'x': 1}"), "[descr, fortran_order"),
                header("deep nesting", "{'descr': " + "(".repeat(5000), "fewer brackets"),
                header("number too large", shape("(99999999999999999999, 1, 1)"), "out of range")),
            Stream.of(
                header("big-endian", descr("'>f4'"), "big-endian", "astype('<f4')"),
                header("float64", descr("'<f8'"), "float64", "astype('float32')"),
                header("objects", descr("'|O'"), "Python objects", "never loaded"),
                header("raw pairs of bytes", descr("'|V2'"), "bfloat16", ".safetensors"),
                header("integers", descr("'<i4'"), "'<i4'", "'<f4' (float32)"),
                header("structured", descr("[('x', '<f4')]"), "structured"),
                header("descr is a number", descr("4"), "descr is 4"),
                header("Fortran order", order("True"), "ascontiguousarray"),
                header("order is a string", order("'C'"), "fortran_order is 'C'"),
                header("shape is a number", shape("24"), "shape is 24", "tuple"),
                header("axis is a string", shape("(2, '3', 4)"), "shape is (2, '3', 4)"),
                header("one axis", shape("(24,)"), "1 axes", "[head][token][dim]"),
                header("no axis", shape("()"), "0 axes"),
                header("batch axis", shape("(1, 2, 3, 4)"), "4 axes", "array[0]"),
                header("empty axis", shape("(2, 0, 4)"), "from 1 to"),
                header("negative axis", shape("(2, -3, 4)"), "from 1 to"),
                header("axis beyond int", shape("(2, 4294967299, 4)"), "from 1 to 2147483647"),
                header(
                    "size beyond long",
                    shape("(2147483647, 2147483647, 2147483647)"),
                    "larger than any file"),
                header("size beyond the file", shape("(2147483647, 1000, 1)"), "need")))
        .flatMap(files -> files);
  }

  private static Arguments header(String what, String header, String... words) {
    return file(what, NpyBytes.of(header, RIGHT_BYTES), words);
  }

  private static Arguments file(String what, byte[] bytes, String... words) {
    return arguments(what, bytes, words);
  }

  private static String descr(String descr) {
    return NpyBytes.header(descr, "False", "(2, 3, 4)");
  }

  private static String order(String order) {
    return NpyBytes.header("'<f4'", order, "(2, 3, 4)");
  }

  private static String shape(String shape) {
    return NpyBytes.header("'<f4'", "False", shape);
  }

  private static byte[] changed(byte[] bytes, int at, int value) {
    byte[] copy = bytes.clone();
    copy[at] = (byte) value;
    return copy;
  }

  /** Version 2, whose header length has 32 bits, unsigned. */
  private static byte[] hugeHeader() {
    byte[] bytes = NpyBytes.of(2, RIGHT, new byte[RIGHT_BYTES]);
    Arrays.fill(bytes, 8, 12, (byte) 0xFF);
    return bytes;
  }
}
