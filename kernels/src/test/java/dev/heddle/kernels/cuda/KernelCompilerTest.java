package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.api.HeddleException;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.DeviceException;
import dev.heddle.kernels.KernelCompilationException;
import dev.heddle.kernels.cuda.LibraryPlaces.Library;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** NVRTC needs no GPU: what compiles is compiled here, where the library is installed. */
class KernelCompilerTest {
  private static final int DRIVER = 13_000;

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(ints = {80, 86, 90})
  void makesMachineCode(int computeCapability) {
    byte[] code = compiler(computeCapability).compile(text(Map.of("one.cu", kernel("a[0] = 1;"))));
    assertThat(Arrays.copyOf(code, 4)).isEqualTo(new byte[] {0x7f, 'E', 'L', 'F'});
    assertThat(new String(code, StandardCharsets.ISO_8859_1)).contains("heddle_one");
  }

  /** "a" is what wgmma and setmaxnreg need. */
  @Test
  void compilesForTheWholeOfComputeCapability90() {
    String body = "#ifdef __CUDA_ARCH_FEAT_SM90_ALL\nint hopper;\n#else\n#error no\n#endif\n";
    assertThat(compiler(90).compile(text(Map.of("one.cu", kernel(body))))).isNotEmpty();
  }

  @Test
  void makesPtxForDevicesThatItDoesNotKnow() {
    byte[] code = compiler(999).compile(text(Map.of("one.cu", kernel("a[0] = 1;"))));
    assertThat(new String(code, StandardCharsets.UTF_8))
        .contains(".version")
        .contains(".target sm_");
  }

  @ParameterizedTest
  @ValueSource(ints = {80, 90})
  void everySharedHeaderCompiles(int computeCapability) throws IOException {
    KernelCompiler compiler = compiler(computeCapability);
    StringBuilder all = new StringBuilder();
    try (Stream<Path> files = Files.list(ChildJava.module().resolve("src/main/cuda/heddle"))) {
      files
          .map(file -> "#include \"heddle/" + file.getFileName() + "\"\n")
          .sorted()
          .forEach(all::append);
    }
    String source =
        all + kernel("a[0] = int(heddle::toFloat(heddle::Half{1})) + heddle::kQueryRows;");
    assertThat(compiler.compile(text(Map.of("one.cu", source)))).isNotEmpty();
  }

  @Test
  void theTextOfTheGuideCompiles() throws IOException {
    String guide = Files.readString(ChildJava.module().resolve("../docs/writing-a-pattern.md"));
    String text = guide.replaceAll("(?s).*```cuda\\n(.*?)```.*", "$1");
    assertThat(text).contains("my_pattern_count").doesNotContain("```");
    assertThat(compiler(90).compile(text(Map.of("one.cu", text)))).isNotEmpty();
  }

  @Test
  void anErrorHasFileLineAndTheCompilersMessage() throws IOException {
    KernelSource wrong =
        text(Map.of("one.cu", "#include \"two.cuh\"\n", "two.cuh", "\n" + kernel("a[0] = none;")))
            .withHeader("two.cuh");
    KernelCompiler compiler = compiler(90);
    assertThatThrownBy(() -> compiler.compile(wrong))
        .isInstanceOf(KernelCompilationException.class)
        .hasMessageStartingWith("kernels 'one' do not compile with NVRTC ")
        .hasMessageContaining(" for sm_90a:")
        .hasMessageContaining("two.cuh(3): error: identifier \"none\" is undefined")
        .hasMessageContaining("a[0] = none;");
    assertThat(kernelFiles()).isEmpty();
  }

  @Test
  void aHeaderThatIsNotThereIsNamed() {
    KernelCompiler compiler = compiler(90);
    assertThatThrownBy(
            () -> compiler.compile(text(Map.of("one.cu", "#include \"heddle/none.cuh\"\n"))))
        .isInstanceOf(KernelCompilationException.class)
        .hasMessageContaining("one.cu(1): ")
        .hasMessageContaining("heddle/none.cuh");
  }

  @Test
  void manyErrorsAreCutShort() {
    String many =
        kernel(IntStream.range(0, 60).mapToObj(i -> "x" + i + ";\n").collect(Collectors.joining()));
    KernelCompiler compiler = compiler(90);
    assertThatThrownBy(() -> compiler.compile(text(Map.of("one.cu", many))))
        .hasMessageMatching("(?s).*\\.\\.\\. and \\d+ lines more")
        .satisfies(failure ->
            assertThat(((KernelCompilationException) failure).log().lines().count())
                .isGreaterThan(30));
  }

  @Test
  void textThatIsNotThereIsNamed() {
    KernelCompiler compiler = compiler(90);
    assertThatThrownBy(() -> compiler.compile(text(Map.of())))
        .isInstanceOf(HeddleException.class)
        .hasMessage("kernels 'one' bring no file 'one.cu'; is it beside the class that opens it?");
  }

  @Test
  void theNextProcessTakesWhatThisOneMade() throws IOException {
    KernelSource source = text(Map.of("one.cu", kernel("a[0] = 1;")));
    KernelCompiler first = compiler(90);
    assertThat(first.availability(source)).isEqualTo(first.availability());
    byte[] made = first.compile(source);
    assertThat(compiler(90).availability(source)).isEqualTo(new Available("compiled before"));
    assertThat(compiler(90).compile(source)).isEqualTo(made);
    assertThat(kernelFiles()).hasSize(1);
    compiler(80).compile(source);
    compiler(90).compile(text(Map.of("one.cu", kernel("a[0] = 2;"))));
    assertThat(kernelFiles()).hasSize(3);
  }

  @Test
  void withoutALibraryTheRemedyIsSaid() {
    KernelCompiler compiler =
        compiler(new LibraryPlaces(Library.NVRTC, Map.of("HEDDLE_NVRTC", "/none"), folder), 90);
    assertThat(compiler.availability())
        .isEqualTo(
            new Refused(
                "there is no NVRTC library where HEDDLE_NVRTC=/none says",
                "let it name libnvrtc.so.13 or .12, or the folder that has it"));
    assertThatThrownBy(() -> compiler.compile(text(Map.of("one.cu", ""))))
        .isInstanceOf(DeviceException.class)
        .hasMessageStartingWith(
            "kernels 'one' cannot be compiled: there is no NVRTC library where");
    assertThat(compiler.describe().getFirst())
        .startsWith("compiling CUDA text of patterns: not here: there is no NVRTC library");
  }

  @Test
  void aDriverTooOldForAllThatThereIs() {
    KernelCompiler compiler =
        new KernelCompiler(
            new LibraryPlaces(Library.NVRTC, Map.of(), folder),
            cache(),
            new KernelCompiler.Target(90, 11_080));
    assertThat(compiler.availability())
        .isEqualTo(
            new Refused(
                "no NVRTC library was found that suits a driver for CUDA 11.8",
                "install a CUDA toolkit (12.4 or later, not of a newer major version than the driver),"
                    + " or let HEDDLE_NVRTC name libnvrtc.so"));
  }

  @Test
  void aFileThatIsNoLibraryIsNotTaken() throws IOException {
    Path file = Files.writeString(folder.resolve("libnvrtc.so.13"), "no library");
    KernelCompiler compiler =
        compiler(
            new LibraryPlaces(Library.NVRTC, Map.of("HEDDLE_NVRTC", file.toString()), folder), 90);
    assertThat(compiler.availability()).isInstanceOf(Refused.class);
  }

  private List<Path> kernelFiles() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("kernels"))) {
      return files.filter(path -> path.toString().endsWith(".kernel")).toList();
    }
  }

  /** Skips the test where NVRTC is not installed. */
  private KernelCompiler compiler(int computeCapability) {
    KernelCompiler compiler = compiler(LibraryPlaces.ofProcess(Library.NVRTC), computeCapability);
    assumeTrue(
        compiler.availability() instanceof Available,
        () -> "nothing to compile with: " + compiler.describe().getFirst());
    return compiler;
  }

  private KernelCompiler compiler(LibraryPlaces places, int computeCapability) {
    return new KernelCompiler(
        places, cache(), new KernelCompiler.Target(computeCapability, DRIVER));
  }

  private KernelCache cache() {
    return KernelCache.ofUser(Map.of("HEDDLE_CACHE", folder.toString()), folder);
  }

  private static String kernel(String body) {
    return "extern \"C\" __global__ void heddle_one(int* a) {\n" + body + "\n}\n";
  }

  private static KernelSource text(Map<String, String> files) {
    return KernelSource.ofText(
        "one",
        name ->
            Optional.ofNullable(files.get(name))
                .map(text -> new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8))));
  }
}
