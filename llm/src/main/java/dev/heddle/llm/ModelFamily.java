package dev.heddle.llm;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The families of models that differ in little things from Llama's decoder. */
public enum ModelFamily {
  /** Llama 2, 3, 3.1 and what follows them. */
  LLAMA("llama"),
  /** Mistral: Llama with a window, in its first version. */
  MISTRAL("mistral"),
  /** Qwen 2 and 2.5: Q, K and V have biases. */
  QWEN2("qwen2"),
  /** Qwen 3: each head of Q and K is normalised. */
  QWEN3("qwen3");

  private final String modelType;

  ModelFamily(String modelType) {
    this.modelType = modelType;
  }

  /** The value of {@code model_type} in config.json. */
  public String modelType() {
    return modelType;
  }

  static Optional<ModelFamily> ofModelType(String modelType) {
    return Arrays.stream(values()).filter(f -> f.modelType.equals(modelType)).findFirst();
  }

  static String modelTypes() {
    return Arrays.stream(values())
        .map(family -> JsonPlace.quoted(family.modelType))
        .collect(Collectors.joining(", "));
  }
}
