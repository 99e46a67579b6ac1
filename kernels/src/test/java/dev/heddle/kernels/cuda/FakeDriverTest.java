package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The device layer on a driver that fails at every single call in turn: see FakeDriverMain. */
class FakeDriverTest {
  private static final Path MODULE = Path.of(System.getProperty("basedir", "."));

  @Test
  void whateverFailsNothingIsLeftBehind(@TempDir Path folder) throws Exception {
    assumeTrue(System.getProperty("os.name").equals("Linux"), "natives are for Linux alone");
    assumeTrue(hasCompiler(), "no C compiler (cc) to make the fake driver with");
    assumeTrue(SharedKernels.ROWS.isPresent(), "the build found no nvcc");
    run(
        folder,
        List.of(
            "cc",
            "-shared",
            "-fPIC",
            "-o",
            folder.resolve("libcuda.so.1").toString(),
            "-Wl,-soname,libcuda.so.1",
            MODULE.resolve("src/test/c/fake_driver.c").toString(),
            "-lpthread"));
    String output =
        run(
            folder,
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath(),
                FakeDriverMain.class.getName()));
    assertThat(output).contains("0 problems in").doesNotContain("PROBLEM");
  }

  private static String classPath() {
    return Stream.of(
            MODULE.resolve("target/classes").toString(),
            MODULE.resolve("target/test-classes").toString(),
            System.getProperty("jdk.module.path", ""),
            System.getProperty("java.class.path", ""))
        .filter(part -> !part.isEmpty())
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static boolean hasCompiler() {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "cc")));
  }

  private static String run(Path libraries, List<String> command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LD_LIBRARY_PATH", libraries.toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s:%n%s", command, output).isZero();
    return output;
  }
}
