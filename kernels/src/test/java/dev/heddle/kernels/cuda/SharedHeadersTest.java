package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.KernelText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SharedHeadersTest {
  @Test
  void takesWhatIsIncludedDirectlyOrThroughOthers() {
    KernelText text =
        new KernelText(
            "mine.cu",
            "// mine\n#include \"mine.cuh\"\n  #  include <cstdint>\n",
            Map.of("mine.cuh", "#include \"heddle/scan.cuh\"", "unused.cuh", "#error"));
    assertThat(SharedHeaders.of(text))
        .containsOnlyKeys("mine.cuh", "heddle/scan.cuh", "cstdint")
        .containsEntry("mine.cuh", "#include \"heddle/scan.cuh\"");
  }

  @Test
  void leavesOutWhatThereIsNot() {
    String source =
        """
        #include "heddle/none.cuh"
        #include "heddle/../dense.fatbin"
        #include <vector>
        #include "missing.cuh"
        """;
    assertThat(SharedHeaders.of(new KernelText("mine.cu", source, Map.of()))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "// #include <cmath>",
        "int a; #include <cmath>",
        "#includes",
        "#include <cmath",
        "#include <cmath\n>",
        "#include cmath>",
        "#include <>",
        "#include",
        "#"
      })
  void leavesOutWhatIncludesNothing(String source) {
    assertThat(SharedHeaders.of(new KernelText("mine.cu", source, Map.of()))).isEmpty();
  }

  /** Headers include each other by the names that patterns include them by: they are text once. */
  @Test
  void everySharedHeaderIsThereWithAllThatItIncludes() throws IOException {
    Path headers = ChildJava.module().resolve("src/main/cuda/heddle");
    try (Stream<Path> files = Files.list(headers)) {
      for (Path file : files.toList()) {
        String name = "heddle/" + file.getFileName();
        String source = "#include \"" + name + "\"\n";
        Map<String, String> found = SharedHeaders.of(new KernelText("a.cu", source, Map.of()));
        assertThat(found).containsEntry(name, Files.readString(file));
        found.forEach((header, content) ->
            content
                .lines()
                .filter(line -> line.startsWith("#include") && !line.contains("<cuda_"))
                .map(line -> line.replaceAll("#include [<\"]|[>\"].*", ""))
                .forEach(included -> assertThat(found).as(header).containsKey(included)));
      }
    }
  }
}
