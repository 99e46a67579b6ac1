package dev.heddle.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The build's checks of GPU kernels can fail. A script stands for nvcc. */
class KernelBuildTest {
  @TempDir private Path folder;
  private Path sources;
  private Path target;
  private Path spills;

  private record Ended(int status, String output) {}

  @BeforeEach
  void write() throws IOException {
    sources = Files.createDirectories(folder.resolve("src"));
    target = folder.resolve("out");
    spills = sources.resolve("spills.txt");
    Files.writeString(sources.resolve("warp.cu"), "// a kernel");
  }

  @Test
  void aKernelThatCompilesBecomesAnImage() throws IOException {
    assertThat(build("13.0", 0, 0, "0").status()).isZero();
    assertThat(target.resolve("warp.fatbin")).exists();
  }

  @Test
  void aKernelThatDoesNotCompileFailsTheBuild() throws IOException {
    Ended ended = build("13.0", 1, 0, "0");
    assertThat(ended.status()).isNotZero();
    assertThat(ended.output()).contains("error: no such thread");
    assertThat(target.resolve("warp.fatbin")).doesNotExist();
  }

  @Test
  void aSpillFailsTheBuildUnlessItIsListedWithAReason() throws IOException {
    Ended ended = build("13.0", 0, 24, "0");
    assertThat(ended.status()).isNotZero();
    assertThat(ended.output()).contains("kernel heddle_warp_128 spills 24 bytes", "sm_90a");
    assertThat(target.resolve("warp.fatbin")).doesNotExist();

    Files.writeString(spills, "heddle_warp_* sm_90a\n");
    assertThat(build("13.0", 0, 24, "0").output()).contains("no reason given");

    Files.writeString(spills, "heddle_warp_* sm_80 another architecture\n");
    assertThat(build("13.0", 0, 24, "0").status()).isNotZero();

    Files.writeString(spills, "heddle_warp_* sm_90a two numbers a tile\n");
    assertThat(build("13.0", 0, 24, "0").status()).isZero();
    assertThat(target.resolve("warp.fatbin")).exists();
  }

  @Test
  void withoutACompilerTheBuildGoesOnAndSaysSoUnlessThatIsForbidden() throws IOException {
    Ended ended = build("11.8", 0, 0, "0");
    assertThat(ended.status()).isZero();
    assertThat(ended.output())
        .contains("is CUDA 11.8, and 12.4 or later is needed: building without GPU kernels: warp");
    assertThat(target.resolve("warp.fatbin")).doesNotExist();

    Ended forbidden = build("11.8", 0, 0, "1");
    assertThat(forbidden.status()).isNotZero();
    assertThat(forbidden.output()).contains("HEDDLE_REQUIRE_NVCC=1 forbids");
  }

  @Test
  void aJarWithoutItsImagesIsFound() throws IOException {
    Path cuda = Files.createDirectories(folder.resolve("loom/src/main/cuda"));
    assertThat(check().output()).contains("there are no kernel sources");
    Files.writeString(cuda.resolve("warp.cu"), "// a kernel");
    assertThat(check().output()).contains("there is no jar of loom");

    Path lib = Files.createDirectories(folder.resolve("cli/target/heddle/lib"));
    jar(lib.resolve("heddle-loom-0.1.0.jar"), "dev/heddle/loom/weft.fatbin");
    Ended ended = check();
    assertThat(ended.status()).isNotZero();
    assertThat(ended.output()).contains("holds no warp.fatbin");

    jar(lib.resolve("heddle-loom-0.1.0.jar"), "dev/heddle/loom/warp.fatbin");
    assertThat(check()).isEqualTo(new Ended(0, "all 1 kernel sources have their images\n"));
  }

  private Ended check() throws IOException {
    return run(Map.of(), Repository.path("scripts", "check-kernels.sh"), folder);
  }

  /** Builds with an nvcc of a version that ends as told and reports a spill. */
  private Ended build(String version, int status, int spilledBytes, String requireNvcc)
      throws IOException {
    Path nvcc = Files.createDirectories(folder.resolve("cuda/bin")).resolve("nvcc");
    Files.writeString(
        nvcc,
        """
        #!/bin/sh
        if [ "$1" = --version ]; then echo "Cuda compilation tools, release %s, V0"; exit 0; fi
        echo "ptxas info    : Compiling entry function 'heddle_warp_128' for 'sm_90a'"
        echo "    0 bytes stack frame, %d bytes spill stores, 0 bytes spill loads"
        [ %d = 0 ] || { echo "warp.cu(1): error: no such thread"; exit %d; }
        while [ "$1" != -o ]; do shift; done
        echo image >"$2"
        """
            .formatted(version, spilledBytes, status, status));
    assertThat(nvcc.toFile().setExecutable(true)).isTrue();
    return run(
        Map.of("CUDA_HOME", folder.resolve("cuda").toString(), "HEDDLE_REQUIRE_NVCC", requireNvcc),
        Repository.path("scripts", "build-kernels.sh"),
        sources,
        target);
  }

  private static Ended run(Map<String, String> environment, Path script, Path... arguments)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder("sh", script.toString());
    List.of(arguments).forEach(argument -> builder.command().add(argument.toString()));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    Process process = builder.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ended(process.onExit().join().exitValue(), output);
  }

  private static void jar(Path file, String entry) throws IOException {
    try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(file))) {
      jar.putNextEntry(new JarEntry(entry));
    }
  }
}
