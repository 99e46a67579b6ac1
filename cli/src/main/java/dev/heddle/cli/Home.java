package dev.heddle.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where Heddle's own files lie: the bundled models and texts, and the plugins.
 *
 * @param folder the repository or the unpacked distribution
 */
record Home(Path folder) {
  /** The folder that the launcher names; without a launcher the working folder. */
  static Home ofProcess() {
    return new Home(Path.of(System.getProperty("heddle.home", "")).toAbsolutePath());
  }

  /** The folder of the model called {@code name}. */
  Path model(String name) {
    return folder.resolve("models").resolve(name);
  }

  /** The text file called {@code name}. */
  Path text(String name) {
    return folder.resolve("texts").resolve(name);
  }

  /** The folder for plugins, which need not be there. */
  Path plugins() {
    return folder.resolve("plugins");
  }

  /** The model folders that are here, sorted by name. */
  List<Path> models() throws IOException {
    Path models = folder.resolve("models");
    if (!Files.isDirectory(models)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(models)) {
      return folders
          .filter(path -> Files.isRegularFile(path.resolve("config.json")))
          .sorted()
          .toList();
    }
  }
}
