package dev.heddle.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The messages that docs/gpu.md explains are those of the code. */
class GpuGuideTest {
  private static final Pattern SYMPTOM = Pattern.compile("^\\| `([^`]+)` \\|", Pattern.MULTILINE);

  /** Stands for what differs from case to case. */
  private static final String OPEN = "…";

  @Test
  void everySymptomIsAMessageOfTheCode() {
    List<String> symptoms =
        SYMPTOM
            .matcher(Repository.read(Repository.path("docs", "gpu.md")))
            .results()
            .map(row -> row.group(1))
            .toList();
    assertThat(symptoms).hasSizeGreaterThanOrEqualTo(15).doesNotHaveDuplicates();
    String code = code();
    for (String symptom : symptoms) {
      assertThat(Stream.of(symptom.split(OPEN)).map(String::strip).filter(part -> !part.isEmpty()))
          .as("docs/gpu.md: %s", symptom)
          .allSatisfy(part -> assertThat(code.contains(part)).as("'%s'", part).isTrue());
    }
  }

  /** Sources with their string literals joined. */
  private static String code() {
    String java =
        Repository.javaSources().stream()
            .filter(file -> file.toString().contains("/src/main/"))
            .map(Repository::read)
            .collect(Collectors.joining("\n"))
            .replaceAll("\"\\s*\\+\\s*\"", "")
            .replace("\\\"", "\"");
    return java + Repository.read(Repository.path("scripts", "build-kernels.sh"));
  }
}
