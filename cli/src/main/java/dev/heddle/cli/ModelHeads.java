package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import java.nio.file.Path;
import java.util.Map;

/** Heads configurations for a model. */
final class ModelHeads {
  private static final String DENSE = "dense";

  private ModelHeads() {}

  /** Every head reads every key. */
  static HeadsConfig dense(ModelShape model) {
    return HeadsConfig.uniform(model, DENSE, Map.of());
  }

  /**
   * Reads a heads file.
   *
   * @throws InvalidInputException if it is malformed, or for a model of another shape
   */
  static HeadsConfig read(Path file, ModelShape model) {
    HeadsConfig config = HeadsConfig.read(file);
    if (!config.shape().equals(model)) {
      throw new InvalidInputException(
          "%s is for %s, but the model has %s"
              .formatted(file, Shown.sizes(config.shape()), Shown.sizes(model)));
    }
    return config;
  }
}
