package dev.heddle.cli;

import dev.heddle.runtime.ModelShape;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The sizes of the models that MInference publishes pattern files for, which the files leave out.
 */
final class MInferenceModels {
  private static final List<Known> KNOWN =
      List.of(
          new Known("glm_4_9b", new ModelShape(40, 32, 2, 128)),
          new Known("llama_3.1_70b", new ModelShape(80, 64, 8, 128)),
          new Known("llama_3.1_8b", new ModelShape(32, 32, 8, 128)),
          new Known("llama_3_70b", new ModelShape(80, 64, 8, 128)),
          new Known("llama_3_8b", new ModelShape(32, 32, 8, 128)),
          new Known("phi_3_mini", new ModelShape(32, 32, 32, 96)),
          new Known("qwen2.5_14b", new ModelShape(48, 40, 8, 128)),
          new Known("qwen2.5_32b", new ModelShape(64, 40, 8, 128)),
          new Known("qwen2.5_72b", new ModelShape(80, 64, 8, 128)),
          new Known("qwen2.5_7b", new ModelShape(28, 28, 4, 128)),
          new Known("qwen2_7b", new ModelShape(28, 28, 4, 128)),
          new Known("yi_9b", new ModelShape(48, 32, 4, 128)));

  private MInferenceModels() {}

  /** How a file's name starts, in lower case, and whose patterns it holds. */
  private record Known(String nameStart, ModelShape shape) {}

  /** The sizes of the model that a published file of this name is for. */
  static Optional<ModelShape> ofFile(String fileName) {
    String name = fileName.toLowerCase(Locale.ROOT);
    return KNOWN.stream()
        .filter(known -> name.startsWith(known.nameStart() + "_"))
        .map(Known::shape)
        .findFirst();
  }
}
