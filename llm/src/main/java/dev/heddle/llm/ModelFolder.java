package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A folder in the Hugging Face layout: {@code config.json}, {@code model.safetensors} (or several
 * files and {@code model.safetensors.index.json}), {@code tokenizer.json}. Reading it changes
 * nothing and needs no network.
 *
 * @param path the folder
 * @param config what its {@code config.json} says
 */
public record ModelFolder(Path path, ModelConfig config) {
  /**
   * Reads the folder's {@code config.json}.
   *
   * @throws InvalidInputException if it is no folder, or the file cannot be accepted
   */
  public static ModelFolder open(Path path) {
    if (!Files.isDirectory(path)) {
      throw new InvalidInputException(
          path + ": there is no such folder; allowed: a model folder with a config.json");
    }
    return new ModelFolder(path, ModelConfig.read(path));
  }

  /** Where the folder's tokenizer is. */
  public Path tokenizerFile() {
    return path.resolve("tokenizer.json");
  }
}
