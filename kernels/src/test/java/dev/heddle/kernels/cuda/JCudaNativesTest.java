package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class JCudaNativesTest {
  private static final Path TEMP = Path.of(System.getProperty("java.io.tmpdir"));

  @Test
  void nativesOfThisPlatformAreFound() {
    assertThat(JCudaNatives.fileName()).isEqualTo("libJCudaDriver-12.6.0-linux-x86_64.so");
    assertThat(JCudaNatives.arePresent()).isTrue();
  }

  @Test
  void loadingGetsAsFarAsTheDriver() throws IOException {
    List<Path> before = privateDirectories();
    if (DriverLibrary.find().isPresent()) {
      assertThatCode(JCudaNatives::load).doesNotThrowAnyException();
    } else {
      // The library itself was found, unpacked and opened: what is missing is the driver.
      assertThatThrownBy(JCudaNatives::load)
          .isInstanceOf(UnsatisfiedLinkError.class)
          .hasMessageContaining("libcuda.so.1");
      assertThatThrownBy(JCudaNatives::load)
          .as("the second time")
          .isInstanceOf(UnsatisfiedLinkError.class)
          .hasMessageContaining("libcuda.so.1");
    }
    assertThat(Path.of(System.getProperty("java.io.tmpdir"))).isEqualTo(TEMP);
    assertThat(privateDirectories()).as("what loading leaves behind").isEqualTo(before);
  }

  private static List<Path> privateDirectories() throws IOException {
    try (Stream<Path> files = Files.list(TEMP)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("heddle-jcuda-"))
          .sorted()
          .toList();
    }
  }
}
