package dev.heddle.architecture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** The checkout that is being tested. */
final class Repository {
  private static final Path ROOT =
      Path.of(Objects.requireNonNull(System.getProperty("heddle.root"), "heddle.root")).normalize();

  /** The folders of the shipped modules. */
  static final List<String> MODULE_FOLDERS =
      List.of(
          "api",
          "kernels",
          "testkit",
          "pattern-a-shape",
          "pattern-vertical-slash",
          "pattern-block-sparse",
          "runtime",
          "llm",
          "search",
          "cli");

  private Repository() {}

  static Path path(String first, String... more) {
    return ROOT.resolve(Path.of(first, more));
  }

  /** Every Java source of the shipped modules, tests included. */
  static List<Path> javaSources() {
    return MODULE_FOLDERS.stream().flatMap(folder -> filesBelow(path(folder, "src"))).toList();
  }

  /** The same, and those of the folders that are not shipped. */
  static List<Path> allJavaSources() {
    return Stream.of(
            javaSources().stream(),
            exampleSources().stream(),
            Stream.of("bench", "architecture", "distribution")
                .flatMap(folder -> filesBelow(path(folder, "src"))))
        .flatMap(sources -> sources)
        .toList();
  }

  /** Every Java source of the projects in {@code examples}, tests included. */
  static List<Path> exampleSources() {
    try (Stream<Path> projects = Files.list(path("examples"))) {
      return projects
          .map(project -> project.resolve("src"))
          .filter(Files::isDirectory)
          .flatMap(Repository::filesBelow)
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Stream<Path> filesBelow(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(".java")).toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
