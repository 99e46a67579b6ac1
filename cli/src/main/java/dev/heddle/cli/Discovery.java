package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.PatternRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Looks for patterns. */
@FunctionalInterface
interface Discovery {
  /**
   * The patterns that there are.
   *
   * @param plugins a folder of plugins that the user names
   * @throws InvalidInputException if that folder cannot be read
   */
  PatternRegistry patterns(Optional<Path> plugins);

  /** Looks on the module path and in a folder of plugins: the one that is named, or Heddle's. */
  static Discovery in(Home home) {
    return named -> {
      PatternRegistry.Builder registry = PatternRegistry.builder().discover();
      named
          .or(() -> Optional.of(home.plugins()).filter(Files::isDirectory))
          .ifPresent(registry::plugins);
      return registry.build();
    };
  }
}
