package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.HeddleException;
import dev.heddle.api.InvalidInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsTest {
  @TempDir Path folder;

  private static MemorySegment bytes(int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (i * 7);
    }
    return MemorySegment.ofArray(bytes);
  }

  private static SafetensorsWriter.Tensor tensor(String name, TensorType type, long... shape) {
    int elements = 1;
    for (long size : shape) {
      elements *= Math.toIntExact(size);
    }
    return new SafetensorsWriter.Tensor(
        name, type, Arrays.stream(shape).boxed().toList(), bytes(elements * type.bytes()));
  }

  @ParameterizedTest
  @EnumSource(TensorType.class)
  void everyTypeIsReadAsItWasWritten(TensorType type) {
    Path file = folder.resolve("all.safetensors");
    SafetensorsWriter.Tensor written = tensor("x", type, 3, 1, 5);
    SafetensorsWriter.write(file, List.of(written), Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      SafetensorsTensor tensor = read.tensor("x");
      assertThat(tensor.type()).isEqualTo(type);
      assertThat(tensor.shape()).containsExactly(3L, 1L, 5L);
      assertThat(tensor.elements()).isEqualTo(15);
      assertThat(tensor.memory().mismatch(written.memory())).isEqualTo(-1);
    }
  }

  @Test
  void severalTensorsScalarsEmptyOnesAndMetadataSurvive() {
    Path file = folder.resolve("many.safetensors");
    List<SafetensorsWriter.Tensor> written =
        List.of(
            tensor("odd", TensorType.U8, 3),
            tensor("empty", TensorType.F32, 0, 7),
            tensor("scalar", TensorType.F64),
            tensor("quote\" \u0000 ü", TensorType.BF16, 5));
    SafetensorsWriter.write(file, written, Map.of("format", "pt", "ü", "\n"));
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(read.tensorNames()).hasSize(4);
      assertThat(read.metadata()).isEqualTo(Map.of("format", "pt", "ü", "\n"));
      for (SafetensorsWriter.Tensor tensor : written) {
        assertThat(read.tensor(tensor.name()).memory().mismatch(tensor.memory())).isEqualTo(-1);
        assertThat(read.tensor(tensor.name()).shape()).isEqualTo(tensor.shape());
      }
    }
  }

  @Test
  void numbersHaveTheValueThatWasWritten() {
    Path file = folder.resolve("one.safetensors");
    MemorySegment memory = MemorySegment.ofArray(new float[] {1.5f, -2f, Float.NaN});
    SafetensorsWriter.write(
        file,
        List.of(new SafetensorsWriter.Tensor("x", TensorType.F32, List.of(3L), memory)),
        Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      float[] values = new float[3];
      read.tensor("x").elementType().load(read.tensor("x").memory(), 0, values, 0, 3);
      assertThat(values).containsExactly(1.5f, -2f, Float.NaN);
    }
  }

  @Test
  void aChannelReceivesTheSameBytes() throws IOException {
    Path file = folder.resolve("file.safetensors");
    List<SafetensorsWriter.Tensor> tensors = List.of(tensor("x", TensorType.I32, 3));
    SafetensorsWriter.write(file, tensors, Map.of());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    SafetensorsWriter.write(Channels.newChannel(out), tensors, Map.of());
    assertThat(out.toByteArray()).isEqualTo(Files.readAllBytes(file));
  }

  @Test
  void tensorsOfMixedTypesStayAligned() {
    Path file = folder.resolve("mixed.safetensors");
    SafetensorsWriter.write(
        file, List.of(tensor("a", TensorType.U8, 3), tensor("b", TensorType.F64, 2)), Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(read.tensor("b").memory().address() % Double.BYTES).isZero();
    }
  }

  @Test
  void anOlderFileIsReplacedAndNothingElseIsLeft() throws IOException {
    Path file = folder.resolve("x.safetensors");
    Files.writeString(file, "old");
    SafetensorsWriter.write(file, List.of(tensor("x", TensorType.U8, 3)), Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(read.tensorNames()).containsExactly("x");
    }
    assertThat(folder).isDirectoryContaining(path -> path.equals(file));
    try (var left = Files.list(folder)) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void aFailureHalfWayLeavesTheOldFile() throws IOException {
    Path file = folder.resolve("x.safetensors");
    Files.writeString(file, "old");
    MemorySegment closed;
    try (var arena = Arena.ofConfined()) {
      closed = arena.allocate(ValueLayout.JAVA_LONG);
    }
    var broken = new SafetensorsWriter.Tensor("x", TensorType.I64, List.of(1L), closed);
    assertThatThrownBy(() -> SafetensorsWriter.write(file, List.of(broken), Map.of()))
        .isInstanceOf(IllegalStateException.class);
    assertThat(file).hasContent("old");
    try (var left = Files.list(folder)) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void aFolderThatCannotBeWrittenIsRefused() {
    Path file = folder.resolve("none").resolve("x.safetensors");
    assertThatThrownBy(() -> SafetensorsWriter.write(file, List.of(), Map.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("no file can be written in its folder");
    assertThatThrownBy(() -> SafetensorsWriter.write(folder, List.of(), Map.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("it is a folder");
  }

  @Test
  void twoTensorsOfOneNameAreRefused() {
    Path file = folder.resolve("x.safetensors");
    var twice = List.of(tensor("x", TensorType.U8, 3), tensor("x", TensorType.U8, 4));
    assertThatThrownBy(() -> SafetensorsWriter.write(file, twice, Map.of()))
        .isInstanceOf(HeddleException.class)
        .hasMessageContaining("two tensors are called \"x\"");
    assertThat(file).doesNotExist();
  }

  @Test
  void aShapeThatIsNotTheMemorysIsRefused() {
    assertThatThrownBy(
            () -> new SafetensorsWriter.Tensor("x", TensorType.F32, List.of(2L, 3L), bytes(23)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("tensor \"x\": [2, 3] of F32 is 24 bytes, but its memory holds 23");
  }
}
