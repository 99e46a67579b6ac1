package dev.heddle.cli;

import dev.heddle.runtime.PatternRegistry;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What the commands share that look for patterns. */
abstract class PatternCommand extends HeddleCommand {
  private final Discovery discovery;

  @Option(
      names = "--plugins",
      paramLabel = "DIR",
      order = COMMON_ORDER - 1,
      description =
          "Folder of plugins, each a jar or a folder of jars; the folder 'plugins' beside Heddle, if"
              + " it is there, when not given.")
  private Optional<Path> plugins = Optional.empty();

  PatternCommand(Console console, Discovery discovery) {
    super(console);
    this.discovery = discovery;
  }

  /** Looks for patterns, anew at each call. */
  final PatternRegistry findPatterns() {
    return discovery.patterns(plugins);
  }
}
