package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.PatternRegistry;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Which pattern the heads of one layer use: a layer of a heads file, or one pattern for all. */
final class HeadsOptions {
  @Option(
      names = "--heads",
      paramLabel = "FILE",
      description = "Heads file that assigns a pattern to each head.")
  private Optional<Path> headsFile = Optional.empty();

  @Option(
      names = "--layer",
      paramLabel = "N",
      description = "Layer of the heads file whose heads these are; 0 when not given.")
  private Optional<Integer> layer = Optional.empty();

  @Option(
      names = "--pattern",
      paramLabel = "NAME",
      description = "One pattern for all heads; 'heddle patterns' lists them.")
  private Optional<String> pattern = Optional.empty();

  @Option(
      names = "--option",
      paramLabel = "NAME=VALUE",
      description = "A setting of --pattern; may be given several times.")
  private Map<String, String> options = new LinkedHashMap<>();

  /** The layer that the heads belong to. */
  int layer() {
    return layer.orElse(0);
  }

  /**
   * Checks which of the options are given together.
   *
   * @throws InvalidInputException if they do not say one thing
   */
  void requireOneChoice() {
    if (headsFile.isPresent() == pattern.isPresent()) {
      throw new InvalidInputException("give one of --heads FILE and --pattern NAME");
    }
    if (layer.isPresent() && headsFile.isEmpty()) {
      throw new InvalidInputException("--layer chooses a layer of --heads FILE, which is missing");
    }
    if (!options.isEmpty() && pattern.isEmpty()) {
      throw new InvalidInputException(
          "--option sets an option of --pattern NAME, which is missing");
    }
  }

  /**
   * The configuration that the options describe.
   *
   * @param shape the sizes of the arrays, for a pattern that all heads use
   * @throws InvalidInputException if the file, the pattern or an option cannot be accepted
   */
  HeadsConfig config(ModelShape shape, PatternRegistry registry) {
    if (headsFile.isPresent()) {
      return fileFor(shape, headsFile.get());
    }
    SparsePattern chosen = registry.get(pattern.orElseThrow());
    Map<String, Object> values = Options.of(chosen.options(), options).toMap();
    return HeadsConfig.uniform(shape, chosen.name(), values);
  }

  private HeadsConfig fileFor(ModelShape arrays, Path file) {
    HeadsConfig config = HeadsConfig.read(file);
    ModelShape model = config.shape();
    if (layer() < 0 || layer() >= model.layers()) {
      throw new InvalidInputException(
          "--layer is %d; allowed: 0 to %d, the layers of %s"
              .formatted(layer(), model.layers() - 1, file));
    }
    if (!arrays.equals(
        new ModelShape(1, model.queryHeads(), model.keyValueHeads(), model.headDim()))) {
      throw new InvalidInputException(
          "the arrays have %s, but %s is for %s".formatted(heads(arrays), file, heads(model)));
    }
    return config;
  }

  private static String heads(ModelShape shape) {
    return "%d query heads, %d key/value heads and head dim %d"
        .formatted(shape.queryHeads(), shape.keyValueHeads(), shape.headDim());
  }
}
