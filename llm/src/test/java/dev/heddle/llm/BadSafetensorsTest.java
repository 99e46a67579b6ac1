package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Headers that lie: each must be refused with the file, the place, the value and the remedy. */
class BadSafetensorsTest {
  private static final int DATA_BYTES = 16;

  @TempDir Path folder;

  private static String tensor(String type, String shape, String offsets) {
    return "{\"t\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}"
        .formatted(type, shape, offsets);
  }

  private static String two(String firstOffsets, String secondOffsets) {
    return """
    {"a":{"dtype":"U8","shape":[8],"data_offsets":%s},
     "b":{"dtype":"U8","shape":[8],"data_offsets":%s}}\
    """
        .formatted(firstOffsets, secondOffsets);
  }

  /** Each header with what the message must say. The file has 16 bytes of data. */
  static Stream<Arguments> badHeaders() {
    return Stream.of(
        Arguments.of("", "header: it does not begin with '{'"),
        Arguments.of(" {}", "header: it does not begin with '{'"),
        Arguments.of("{\"t\":", "header: it is not JSON at line 1"),
        Arguments.of("{} {}", "header: it is not JSON"),
        Arguments.of("{\"t\":3}", "header: t: is 3; allowed: an object"),
        Arguments.of("{}", "data bytes 0 to 15 behind the header belong to no tensor"),
        Arguments.of(
            "{\"t\":{\"dtype\":\"F32\",\"shape\":[4]}}",
            "header: t: the key \"data_offsets\" is missing"),
        Arguments.of(
            "{\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16],\"x\":1}}",
            "header: t.x: unknown key; allowed: dtype, shape, data_offsets"),
        Arguments.of(
            tensor("F31", "[4]", "[0,16]"), "header: t.dtype: is \"F31\"; allowed: BOOL, U8,"),
        Arguments.of(tensor("F32", "4", "[0,16]"), "header: t.shape: is 4; allowed: an array"),
        Arguments.of(
            tensor("F32", "[-4]", "[0,16]"),
            "header: t.shape[0]: is -4; allowed: an integer from 0 to"),
        Arguments.of(
            tensor("F32", "[4.0]", "[0,16]"), "header: t.shape[0]: is 4.0; allowed: an integer"),
        Arguments.of(
            tensor("F32", "[\"4\"]", "[0,16]"),
            "header: t.shape[0]: is \"4\"; allowed: an integer"),
        Arguments.of(
            tensor("F32", "[99999999999999999999]", "[0,16]"),
            "header: t.shape[0]: is 99999999999999999999; allowed: an integer"),
        Arguments.of(
            tensor("F32", "[4294967296,4294967296]", "[0,16]"),
            "header: t.shape: is [4294967296,4294967296]; allowed: a product that fits 63 bits"),
        Arguments.of(
            tensor("F32", "[4611686018427387908]", "[0,16]"), "a product that fits 63 bits"),
        Arguments.of(
            tensor("F32", "[3]", "[0,16]"),
            "header: t.shape: [3] of F32 is 12 bytes, but data_offsets [0, 16] are 16"),
        Arguments.of(
            tensor("F32", "[4]", "[0]"), "header: t.data_offsets: is [0]; allowed: [begin"),
        Arguments.of(
            tensor("F32", "[4]", "[0,16,16]"), "header: t.data_offsets: is [0,16,16]; allowed"),
        Arguments.of(
            tensor("F32", "[4]", "[16,0]"), "header: t.data_offsets: is [16,0]; allowed: [begin"),
        Arguments.of(
            tensor("F32", "[5]", "[0,20]"),
            "header: t.data_offsets: is [0,20]; allowed: [begin, end] with 0 <= begin <= end <= 16"),
        Arguments.of(tensor("F32", "[4]", "[-16,0]"), "header: t.data_offsets[0]: is -16; allowed"),
        Arguments.of(
            tensor("F32", "[4]", "[9223372036854775800,9223372036854775807]"),
            "header: t.data_offsets: is [9223372036854775800,9223372036854775807]"),
        Arguments.of(
            tensor("F32", "[2]", "[8,16]"),
            "the data bytes 0 to 7 behind the header belong to no tensor"),
        Arguments.of(
            tensor("F32", "[2]", "[0,8]"),
            "the data bytes 8 to 15 behind tensor \"t\" belong to no tensor"),
        Arguments.of(
            two("[0,8]", "[4,12]"),
            "tensor \"b\" begins at byte 4, inside tensor \"a\", which ends at 8"),
        Arguments.of(two("[0,8]", "[0,8]"), "tensor \"b\" begins at byte 0, inside tensor \"a\""),
        Arguments.of(
            "{\"t\":{\"dtype\":\"U8\",\"shape\":[16],\"data_offsets\":[0,16]},"
                + "\"t\":{\"dtype\":\"U8\",\"shape\":[16],\"data_offsets\":[0,16]}}",
            "Duplicate Object property \"t\""),
        Arguments.of(
            "{\"__metadata__\":{\"format\":1}}",
            "header: __metadata__.format: is 1; allowed: a string"),
        Arguments.of("{\"__metadata__\":[]}", "header: __metadata__: is []; allowed: an object"),
        Arguments.of("{\"t\":" + "[".repeat(10_000), "header: it is not JSON"));
  }

  @ParameterizedTest
  @MethodSource("badHeaders")
  void aBadHeaderIsRefused(String header, String message) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    assertRefused(file(json.length, json, DATA_BYTES), message);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 100_000_001, 51})
  void aHeaderLongerThanTheFileIsRefused(long length) throws IOException {
    byte[] json = "{}".getBytes(StandardCharsets.UTF_8);
    assertRefused(
        file(length, json, 48),
        "header length: is %s; allowed: at most 50 in a file of 58 bytes"
            .formatted(Long.toUnsignedString(length)));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7})
  void aFileWithoutALengthIsRefused(int bytes) throws IOException {
    Path file = folder.resolve("short.safetensors");
    Files.write(file, new byte[bytes]);
    assertRefused(file, "it has " + bytes + " bytes; a safetensors file has at least 8");
  }

  @Test
  void aTruncatedFileIsRefused() throws IOException {
    byte[] json = tensor("F32", "[4]", "[0,16]").getBytes(StandardCharsets.UTF_8);
    assertRefused(file(json.length, json, 15), "data_offsets: is [0,16]");
  }

  @Test
  void aHeaderThatIsNotUtf8IsRefused() throws IOException {
    byte[] json = "{\"?\":{}}".getBytes(StandardCharsets.UTF_8);
    json[2] = (byte) 0xFF;
    assertRefused(file(json.length, json, DATA_BYTES), "header: it is not UTF-8");
  }

  @Test
  void aMissingFileIsRefused() {
    assertRefused(folder.resolve("none.safetensors"), "it cannot be read: there is no such file");
  }

  @Test
  void aFolderIsRefused() {
    assertRefused(folder, "it cannot be read");
  }

  @Test
  void namesInMessagesAreShortAndPrintable() throws IOException {
    String name = "\\u001b[31m" + "x".repeat(1000);
    byte[] json = ("{\"" + name + "\":3}").getBytes(StandardCharsets.UTF_8);
    Path file = file(json.length, json, DATA_BYTES);
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .message()
        .doesNotContain("\u001b")
        .satisfies(
            message -> assertThat(message.length() - file.toString().length()).isLessThan(200));
  }

  @Test
  void anUnknownTensorIsRefusedWithTheNamesThatThereAre() throws IOException {
    byte[] json = two("[0,8]", "[8,16]").getBytes(StandardCharsets.UTF_8);
    try (SafetensorsFile file = SafetensorsFile.open(file(json.length, json, DATA_BYTES))) {
      assertThatThrownBy(() -> file.tensor("c"))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("there is no tensor \"c\"; allowed: \"a\", \"b\"");
      assertThatThrownBy(() -> file.tensor("a").elementType())
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("tensor \"a\" has elements of type U8; allowed: F16, BF16, F32");
    }
  }

  private void assertRefused(Path file, String message) {
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(message);
  }

  private Path file(long length, byte[] header, int dataBytes) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + dataBytes);
    bytes.order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(header);
    return Files.write(folder.resolve("bad.safetensors"), bytes.array());
  }
}
