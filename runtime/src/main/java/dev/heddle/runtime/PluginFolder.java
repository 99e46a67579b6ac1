package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The plugins in a folder: each jar that lies in it, and each folder of jars, for a plugin that
 * brings modules of its own along. Hidden and other files are left alone.
 */
final class PluginFolder implements PatternSource {
  private static final String JAR = ".jar";

  private final Path folder;

  PluginFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * {@inheritDoc}
   *
   * @throws InvalidInputException if the folder itself cannot be read
   */
  @Override
  public List<Candidate> candidates() {
    return sorted(folder).stream()
        .filter(place -> isJar(place) || Files.isDirectory(place))
        .flatMap(place -> plugin(place).stream())
        .toList();
  }

  private static List<Candidate> plugin(Path place) {
    try {
      List<Path> jars =
          Files.isDirectory(place)
              ? sorted(place).stream().filter(PluginFolder::isJar).toList()
              : List.of(place);
      return new Plugin(place, PluginJars.read(jars), host()).candidates();
    } catch (RuntimeException unusable) { // of whatever kind, it is this plugin's alone
      return List.of(Candidate.refusedPlugin(place.toString(), unusable));
    }
  }

  private static ModuleLayer host() {
    ModuleLayer layer = PluginFolder.class.getModule().getLayer();
    if (layer == null) {
      throw new InvalidInputException(
          "Heddle is on the class path; plugins need it on the module path");
    }
    return layer;
  }

  private static boolean isJar(Path file) {
    return file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(JAR)
        && !Files.isDirectory(file);
  }

  private static List<Path> sorted(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new InvalidInputException("plugins: there is no folder " + folder);
    }
    try (Stream<Path> places = Files.list(folder)) {
      return places
          .filter(place -> !place.getFileName().toString().startsWith("."))
          .sorted()
          .toList();
    } catch (IOException unreadable) {
      throw new InvalidInputException(
          "plugins: the folder " + folder + " cannot be read: " + unreadable, unreadable);
    }
  }
}
