package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.kernels.cuda.LibraryPlaces.Library;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryPlacesTest {
  private static final Path SYSTEM_13 = Path.of("libnvrtc.so.13");
  private static final Path SYSTEM_12 = Path.of("libnvrtc.so.12");

  @TempDir private Path folder;

  @Test
  void theLoadersPlacesAreLeftWhereThereIsNoToolkit() {
    assertThat(places(Map.of()).candidates(13)).containsExactly(SYSTEM_13, SYSTEM_12);
  }

  @Test
  void whatTheDriverDoesNotTakeIsLeftOut() throws IOException {
    library("cuda-13.0/lib64/libnvrtc.so.13");
    Path old = library("cuda-12.6/lib64/libnvrtc.so.12");
    assertThat(places(Map.of()).candidates(12)).containsExactly(old, SYSTEM_12);
  }

  @Test
  void theNamedToolkitComesFirstThenTheNewest() throws IOException {
    Path named = library("opt/toolkit/lib64/libnvrtc.so.12");
    Path newest = library("cuda-12.10/lib64/libnvrtc.so.12");
    Path older = library("cuda-12.9/lib64/libnvrtc.so.12");
    Path thirteen = library("cuda-13.0/lib/libnvrtc.so.13");
    Map<String, String> environment =
        Map.of("CUDA_HOME", "", "CUDA_PATH", folder.resolve("opt/toolkit").toString());
    assertThat(places(environment).candidates(13))
        .containsExactly(thirteen, SYSTEM_13, named, newest, older, SYSTEM_12);
  }

  @Test
  void whereTheUserSaysNothingElseIsLookedAt() throws IOException {
    library("cuda-13.0/lib64/libnvrtc.so.13");
    Path wheel = library("python/nvidia/cu13/lib/libnvrtc.so.13");
    for (String named : List.of("", "/lib", "/lib/libnvrtc.so.13")) {
      LibraryPlaces places =
          places(Map.of("HEDDLE_NVRTC", folder.resolve("python/nvidia/cu13") + named));
      assertThat(places.candidates(13)).containsExactly(wheel);
      assertThat(places.isNamed()).isTrue();
    }
    assertThat(places(Map.of("HEDDLE_NVRTC", folder.resolve("none").toString())).candidates(13))
        .isEmpty();
  }

  private LibraryPlaces places(Map<String, String> environment) {
    return new LibraryPlaces(Library.NVRTC, environment, folder);
  }

  private Path library(String file) throws IOException {
    Path library = folder.resolve(file);
    Files.createDirectories(library.getParent());
    return Files.writeString(library, "");
  }
}
