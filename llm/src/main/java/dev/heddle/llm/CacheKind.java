package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Where keys and values of all layers are kept, and in what type. The preferred first. */
public enum CacheKind {
  /** In the GPU's memory, in the 16-bit type that the model computes with. */
  DEVICE("on the GPU in 16 bits"),
  /**
   * In the GPU's memory in 8-bit floats (e4m3), with a float32 scale for each head's row of a
   * token: a number keeps 4 significant bits.
   */
  DEVICE_FP8("on the GPU in 8-bit floats"),
  /**
   * In the machine's memory. Of a model on a GPU in its 16-bit type: what a layer needs is copied
   * to the GPU while the layer before it computes. Of a model on the processor in float32.
   */
  HOST("in the machine's memory"),
  /** As {@link #HOST} in 8-bit floats as {@link #DEVICE_FP8}; of a model on a GPU alone. */
  HOST_FP8("in the machine's memory in 8-bit floats");

  private static final String AUTO = "auto";

  private final String description;

  CacheKind(String description) {
    this.description = description;
  }

  /** Whether numbers are kept in 8 bits. */
  boolean isNarrow() {
    return this == DEVICE_FP8 || this == HOST_FP8;
  }

  /** Whether a GPU has to ask the machine for them. */
  boolean isOnHost() {
    return this == HOST || this == HOST_FP8;
  }

  /** Where that is, in words: {@code "on the GPU in 16 bits"}. */
  public String description() {
    return description;
  }

  /** Its name as options spell it: {@code "device-fp8"}. */
  public String optionName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Reads an option's value.
   *
   * @return empty for {@code "auto"}
   * @throws InvalidInputException if it is none, with those that there are
   */
  public static Optional<CacheKind> parse(String name) {
    if (name.equals(AUTO)) {
      return Optional.empty();
    }
    for (CacheKind kind : values()) {
      if (kind.optionName().equals(name)) {
        return Optional.of(kind);
      }
    }
    String names =
        Arrays.stream(values()).map(CacheKind::optionName).collect(Collectors.joining(", "));
    throw new InvalidInputException(
        "the cache kind '%s' is not known; allowed: %s, %s".formatted(name, AUTO, names));
  }
}
