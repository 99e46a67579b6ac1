package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.KernelCompilationException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kernels that are compiled for the device and run on it. */
class RuntimeCompilationTest extends GpuTest {
  private static final Pattern TOOK = Pattern.compile("kernels loaded in ([0-9.]+) ms");
  private static final String CONSOLE = "org.junit.platform.console.ConsoleLauncher";

  @TempDir private Path cache;

  @BeforeEach
  void requireCompiler() {
    assumeTrue(
        device().compiler().availability() instanceof Available,
        () -> device().compiler().describe().getFirst());
  }

  @Test
  void whatWasCompiledRuns() {
    assertSquares();
  }

  private void assertSquares() {
    KernelSource squares =
        text(
            """
            #include <cstdint>
            struct Params { float* numbers; int32_t count; };
            extern "C" __global__ void squares(const __grid_constant__ Params p) {
              const int i = blockIdx.x * blockDim.x + threadIdx.x;
              if (i < p.count) p.numbers[i] = float(i) * i;
            }
            """);
    float[] numbers = new float[1000];
    device()
        .call(lane -> {
          try (WorkQueue queue = new WorkQueue(device(), lane)) {
            long address = queue.allocate(4L * numbers.length);
            KernelParameters parameters =
                new KernelParameters(16).putLong(0, address).putInt(8, numbers.length);
            queue.launch(squares, "squares", KernelGrid.of(8, 1, 1, 128), parameters);
            queue.download(address, MemorySegment.ofArray(numbers));
            return queue.has(squares, "squares") && !queue.has(squares, "cubes");
          }
        });
    for (int i = 0; i < numbers.length; i++) {
      assertThat(numbers[i]).isEqualTo((float) i * i);
    }
  }

  @Test
  void afterAnErrorInOneTextAnotherRuns() {
    assertThatThrownBy(
            () -> device().call(lane -> device().module(text("__global__ void f() { none; }"))))
        .isInstanceOf(KernelCompilationException.class)
        .hasMessageContaining("mine.cu(1): error: identifier \"none\" is undefined");
    assertSquares();
  }

  /** All attention kernels of a pattern: the longest text that there is. Prints the times. */
  @Test
  void theSecondProcessTakesThemFromTheCache() throws Exception {
    assertMadeOnce("attention kernels of one pattern", List.of());
  }

  @Test
  void theSecondProcessTakesAnExamplesFromTheCache() throws Exception {
    Path folder =
        ChildJava.module()
            .resolve("../examples/x-attention/src/main/resources/com/example/xattention");
    List<String> arguments =
        new ArrayList<>(List.of(folder.toString(), "x_attention", "heddle_x_attention_select"));
    try (Stream<Path> files = Files.list(folder)) {
      files
          .map(file -> String.valueOf(file.getFileName()))
          .filter(name -> name.endsWith(".cuh"))
          .sorted()
          .forEach(arguments::add);
    }
    assertMadeOnce("kernels of the example", arguments);
  }

  private void assertMadeOnce(String what, List<String> arguments) throws Exception {
    double first = loadInNewProcess(arguments);
    List<Path> made = kernelFiles();
    assertThat(made).hasSize(1);
    // One that is made anew is another file, moved into its place.
    Object file = Files.getAttribute(made.getFirst(), "unix:ino");
    double second = loadInNewProcess(arguments);
    System.out.printf("%s: first process %.0f ms, second %.1f ms%n", what, first, second);
    assertThat(kernelFiles()).isEqualTo(made);
    assertThat(Files.getAttribute(made.getFirst(), "unix:ino")).isEqualTo(file);
  }

  private List<Path> kernelFiles() throws IOException {
    try (Stream<Path> files = Files.list(cache.resolve("kernels"))) {
      return files.filter(path -> path.toString().endsWith(".kernel")).toList();
    }
  }

  private double loadInNewProcess(List<String> arguments) throws Exception {
    Map<String, String> environment = Map.of(KernelCache.VARIABLE, cache.toString());
    List<String> command = command();
    command.addAll(arguments);
    String said = ChildJava.runProgram(command, environment);
    Matcher took = TOOK.matcher(said);
    assertThat(took.find()).as(said).isTrue();
    return Double.parseDouble(took.group(1));
  }

  /** As this JVM was started: on the module path by run.sh, on the class path otherwise. */
  private static List<String> command() throws IOException {
    // ProcessHandle gives no arguments that are longer than a page.
    String line = Files.readString(Path.of("/proc/self/cmdline"));
    List<String> own = Arrays.asList(line.split("\0", -1));
    int console = own.indexOf(CONSOLE);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (console < 0) {
      command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", ChildJava.classPath()));
      command.add(RuntimeCompilationMain.class.getName());
    } else {
      command.addAll(own.subList(1, console));
      command.add("-m");
      command.add("dev.heddle.kernels/" + RuntimeCompilationMain.class.getName());
    }
    return command;
  }

  private static KernelSource text(String source) {
    return KernelSource.ofText(
        "mine",
        name -> Optional.of(new ByteArrayInputStream(source.getBytes(StandardCharsets.UTF_8))));
  }
}
