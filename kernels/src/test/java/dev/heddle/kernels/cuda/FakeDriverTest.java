package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The device layer on a driver that fails at every single call in turn: see FakeDriverMain. */
class FakeDriverTest {
  @Test
  void whateverFailsNothingIsLeftBehind(@TempDir Path folder) throws Exception {
    compile(folder);
    String output =
        ChildJava.run(
            List.of("-cp", ChildJava.classPath(), FakeDriverMain.class.getName()),
            Map.of("LD_LIBRARY_PATH", folder.toString()));
    assertThat(output).contains("0 problems in").doesNotContain("PROBLEM");
  }

  @Test
  void whateverFailsAStreamLeavesNothingBehind(@TempDir Path folder) throws Exception {
    compile(folder);
    Path cublas = folder.resolve("libcublasLt.so.13");
    MatrixMultiplierTest.compile(cublas);
    String output =
        ChildJava.run(
            List.of(
                "-cp", ChildJava.classPath(), FakeStreamMain.class.getName(), cublas.toString()),
            Map.of("LD_LIBRARY_PATH", folder.toString()));
    assertThat(output).contains("0 problems in").doesNotContain("PROBLEM");
  }

  private static void compile(Path folder) throws Exception {
    assumeTrue(System.getProperty("os.name").equals("Linux"), "natives are for Linux alone");
    assumeTrue(hasCompiler(), "no C compiler (cc) to make the fake driver with");
    assumeTrue(SharedKernels.ROWS.isPresent(), "the build found no nvcc");
    ChildJava.runProgram(
        List.of(
            "cc",
            "-shared",
            "-fPIC",
            "-o",
            folder.resolve("libcuda.so.1").toString(),
            "-Wl,-soname,libcuda.so.1",
            ChildJava.module().resolve("src/test/c/fake_driver.c").toString(),
            "-lpthread"),
        Map.of());
  }

  private static boolean hasCompiler() {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "cc")));
  }
}
