package dev.heddle.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import javax.tools.JavaFileObject;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The examples of the README and of docs/ compile as they stand there, without a warning. */
class ReadmeTest {
  @ParameterizedTest
  @CsvSource({"README.md, 2", "docs/gpu.md, 1", "docs/writing-a-pattern.md, 2"})
  void examplesCompile(String file, int examples, @TempDir Path out) {
    List<JavaFileObject> sources = DocumentExamples.of(file);
    assertThat(sources).hasSizeGreaterThanOrEqualTo(examples);
    assertThat(DocumentExamples.compile(sources, out)).isEmpty();
  }
}
