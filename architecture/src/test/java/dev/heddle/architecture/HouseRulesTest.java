package dev.heddle.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How the sources are kept, as far as a machine can see it. */
class HouseRulesTest {
  private static final int MOST_LINES = 400;
  private static final List<Path> SOURCES =
      Stream.concat(Repository.javaSources().stream(), Repository.exampleSources().stream())
          .toList();

  @Test
  void thereIsSomethingToCheck() {
    assertThat(SOURCES.size()).isGreaterThan(100);
  }

  @Test
  void filesAreShort() {
    assertThat(SOURCES.stream().filter(file -> Repository.read(file).lines().count() > MOST_LINES))
        .as("files over %d lines", MOST_LINES)
        .isEmpty();
  }

  @Test
  void everyPackageOfASourceFolderSaysWhatItIsFor() {
    Stream<Path> packages =
        SOURCES.stream()
            .filter(file -> file.toString().contains("src/main/java/"))
            .filter(file -> !file.endsWith("module-info.java"))
            .map(Path::getParent)
            .distinct();
    assertThat(packages.filter(folder -> !Files.exists(folder.resolve("package-info.java"))))
        .as("packages without package-info.java")
        .isEmpty();
  }

  @Test
  void everyModuleSaysWhatItIsFor() {
    Pattern documented =
        Pattern.compile("/\\*\\*.*\\*/\\s*(@[^\\n]*\\s*)*(open )?module ", Pattern.DOTALL);
    Stream<Path> modules =
        SOURCES.stream().filter(file -> file.endsWith(Path.of("module-info.java")));
    assertThat(modules.filter(file -> !documented.matcher(Repository.read(file)).find()))
        .as("module descriptors without Javadoc")
        .isEmpty();
  }

  @Test
  void everyOpensHasItsReason() {
    assertThat(
            SOURCES.stream()
                .filter(file -> file.endsWith(Path.of("module-info.java")))
                .flatMap(file -> unexplainedOpens(file)))
        .as("opens without a comment in the line or above it")
        .isEmpty();
  }

  @Test
  void nothingIsLeftForLater() {
    Pattern later = Pattern.compile("\\b(TO" + "DO|FIX" + "ME|X" + "XX)\\b");
    assertThat(SOURCES.stream().filter(file -> later.matcher(Repository.read(file)).find()))
        .as("sources with notes to self")
        .isEmpty();
  }

  private static Stream<String> unexplainedOpens(Path file) {
    List<String> lines = Repository.read(file).lines().toList();
    return Stream.iterate(0, i -> i < lines.size(), i -> i + 1)
        .filter(i -> lines.get(i).strip().startsWith("opens "))
        .filter(i -> !lines.get(i).contains("//") && !lines.get(i - 1).strip().startsWith("//"))
        .map(i -> file + ": " + lines.get(i).strip());
  }
}
