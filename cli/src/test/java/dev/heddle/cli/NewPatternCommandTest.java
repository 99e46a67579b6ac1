package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The skeleton's files. That they build and pass the test kit is tested with the distribution. */
class NewPatternCommandTest {
  @TempDir private Path folder;

  @Test
  void makesAProjectWithNoPlaceLeftOpen() throws IOException {
    Path project = folder.resolve("deep/er");
    JsonNode made = CommandRun.json("new-pattern", "every-third-2", project);

    assertThat(made.get("files").valueStream().map(JsonNode::asString))
        .containsExactly(
            "README.md",
            "pom.xml",
            "heads.json",
            ".gitignore",
            "src/main/java/module-info.java",
            "src/main/java/com/example/everythird2/EveryThird2Pattern.java",
            "src/test/java/com/example/everythird2/EveryThird2PatternTest.java");
    assertThat(made.get("files").valueStream().map(JsonNode::asString))
        .allSatisfy(file ->
            assertThat(Files.readString(project.resolve(file)))
                .isNotEmpty()
                .doesNotContainPattern("@(name|package|Class|version)@")
                .doesNotContain("(development)"));
  }

  @Test
  void takesAPackage() throws IOException {
    CommandRun.heddle("new-pattern", "mine", folder, "--package", "org.acme.looms").succeeded();
    assertThat(Files.readString(folder.resolve("src/main/java/org/acme/looms/MinePattern.java")))
        .startsWith("package org.acme.looms;");
    assertThat(Files.readString(folder.resolve("src/main/java/module-info.java")))
        .contains("module org.acme.looms {", "org.acme.looms.MinePattern;");
  }

  @Test
  void aKeywordMakesAPackageAllTheSame() {
    CommandRun.heddle("new-pattern", "switch", folder).succeeded();
    assertThat(folder.resolve("src/main/java/com/example/switchpattern/SwitchPattern.java"))
        .exists();
  }

  @ParameterizedTest
  @ValueSource(strings = {"Mine", "two words", "-x", "x-", "1st", "a--b", "../up", "ümlaut"})
  void refusesOtherNames(String name) throws IOException {
    CommandRun.heddle("new-pattern", "--", name, folder)
        .refused("the pattern's name is \"" + name + "\"; allowed: lower-case words");
    assertThat(files()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a-shape", "dense"})
  void refusesNamesThatAreTaken(String name) throws IOException {
    CommandRun.heddle("new-pattern", name, folder)
        .refused("there is a pattern called \"" + name + "\" already: ");
    assertThat(files()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"Com.x", "com..x", "com.new", "", "com/x"})
  void refusesOtherPackages(String name) throws IOException {
    CommandRun.heddle("new-pattern", "mine", folder, "--package=" + name)
        .refused("the package is \"" + name + "\"; allowed: lower-case Java names");
    assertThat(files()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"., holds files", "notes.txt, is a file", "notes.txt/x, notes.txt"})
  void writesOverNothing(String target, String reason) throws IOException {
    Files.writeString(folder.resolve("notes.txt"), "mine");
    CommandRun run = CommandRun.heddle("new-pattern", "mine", folder.resolve(target));
    assertThat(run.status()).isNotZero();
    assertThat(run.err()).contains(reason).doesNotContain("internal error", "\tat ");
    assertThat(files()).containsExactly(folder.resolve("notes.txt"));
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
