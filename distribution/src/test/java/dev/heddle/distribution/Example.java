package dev.heddle.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A project that this build has built: of {@code examples}, or made by {@code heddle new-pattern}.
 *
 * @param folder its copy
 */
record Example(Path folder) {
  private static final Path FOLDER = Path.of("target", "examples").toAbsolutePath();
  private static final Path SKELETONS = Path.of("target", "new-pattern").toAbsolutePath();

  /** Those that make a plugin. */
  static List<Example> plugins() {
    return Stream.of(FOLDER, SKELETONS).flatMap(Example::plugins).toList();
  }

  private static Stream<Example> plugins(Path home) {
    try (Stream<Path> folders = Files.list(home)) {
      return folders
          .filter(folder -> Files.isDirectory(folder.resolve("target/plugin")))
          .sorted()
          .map(Example::new)
          .toList()
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Example named(String name) {
    return new Example(FOLDER.resolve(name));
  }

  String name() {
    return folder.getFileName().toString();
  }

  /** The folder to give as {@code --plugins}. */
  Path pluginFolder() {
    return folder.resolve("target/plugin");
  }

  /** Its one jar. */
  Path plugin() {
    try (Stream<Path> files = Files.list(pluginFolder())) {
      List<Path> jars = files.toList();
      assertThat(jars).hasSize(1);
      return jars.getFirst();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return name();
  }
}
