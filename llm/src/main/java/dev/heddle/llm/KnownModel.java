package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.ModelConfig.Biases;
import dev.heddle.llm.ModelConfig.Rotary;
import dev.heddle.runtime.ModelShape;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The sizes of a published model, for measuring without its weights.
 *
 * @param name by which it is chosen, such as {@code "llama-3-8b"}
 * @param config its sizes, with as many positions as anybody may want to measure
 */
public record KnownModel(String name, ModelConfig config) {
  private static final int MOST_POSITIONS = 1 << 22;
  private static final double THETA = 500_000;
  private static final float EPSILON = 1e-5f;

  /** Numbers per token. */
  private record Sizes(int hidden, int intermediate, int vocabulary) {}

  /** All of them. */
  public static List<KnownModel> all() {
    return List.of(
        of("llama-3-8b", new ModelShape(32, 32, 8, 128), new Sizes(4096, 14_336, 128_256), false),
        of("llama-3.2-1b", new ModelShape(16, 32, 8, 64), new Sizes(2048, 8192, 128_256), true),
        of("qwen2.5-7b", new ModelShape(28, 28, 4, 128), new Sizes(3584, 18_944, 152_064), false));
  }

  /**
   * The one called {@code name}.
   *
   * @throws InvalidInputException if there is none, with the names that there are
   */
  public static KnownModel named(String name) {
    return all().stream()
        .filter(model -> model.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new InvalidInputException(
                "the shape '%s' is not known; allowed: %s"
                    .formatted(
                        name,
                        all().stream().map(KnownModel::name).collect(Collectors.joining(", ")))));
  }

  private static KnownModel of(String name, ModelShape shape, Sizes sizes, boolean tied) {
    return new KnownModel(
        name,
        new ModelConfig(
            ModelFamily.LLAMA,
            shape,
            sizes.hidden(),
            sizes.intermediate(),
            sizes.vocabulary(),
            MOST_POSITIONS,
            EPSILON,
            new Rotary(THETA, new RotaryScaling.None()),
            new Biases(true, false, false),
            tied,
            OptionalInt.empty(),
            Set.of()));
  }
}
