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
    return Stream.concat(
            javaSources().stream(),
            Stream.of("bench", "architecture").flatMap(folder -> filesBelow(path(folder, "src"))))
        .toList();
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
