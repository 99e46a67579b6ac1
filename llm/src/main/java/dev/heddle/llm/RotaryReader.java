package dev.heddle.llm;

import dev.heddle.llm.ModelConfig.Rotary;
import java.util.Optional;

/**
 * Reads the rotary settings of a {@code config.json} in both forms: {@code rope_theta} and {@code
 * rope_scaling} beside each other, and {@code rope_parameters}, which transformers 5 writes.
 */
final class RotaryReader {
  private static final double DEFAULT_THETA = 10_000;

  private final JsonPlace config;

  RotaryReader(JsonPlace config) {
    this.config = config;
  }

  Rotary read() {
    Optional<JsonPlace> parameters = config.optional("rope_parameters");
    Optional<JsonPlace> settings = parameters.or(() -> config.optional("rope_scaling"));
    double theta =
        parameters
            .flatMap(place -> place.requireObject().optional("rope_theta"))
            .or(() -> config.optional("rope_theta"))
            .map(JsonPlace::positiveNumber)
            .orElse(DEFAULT_THETA);
    config.optional("partial_rotary_factor").ifPresent(RotaryReader::requireWhole);
    settings
        .flatMap(place -> place.requireObject().optional("partial_rotary_factor"))
        .ifPresent(RotaryReader::requireWhole);
    return new Rotary(theta, settings.map(this::scaling).orElse(new RotaryScaling.None()));
  }

  private RotaryScaling scaling(JsonPlace settings) {
    Optional<JsonPlace> type = settings.optional("rope_type").or(() -> settings.optional("type"));
    if (type.isEmpty()) {
      return new RotaryScaling.None();
    }
    return switch (type.get().string()) {
      case "default" -> new RotaryScaling.None();
      case "linear" -> new RotaryScaling.Linear(number(settings, "factor"));
      case "llama3" -> llama3(settings);
      default -> throw type.get().wrong("\"default\", \"linear\", \"llama3\"");
    };
  }

  private RotaryScaling llama3(JsonPlace settings) {
    double low = number(settings, "low_freq_factor");
    double high = number(settings, "high_freq_factor");
    if (high <= low) {
      throw settings
          .required("high_freq_factor")
          .wrong("a number above low_freq_factor, which is " + low);
    }
    return new RotaryScaling.Llama3(
        number(settings, "factor"),
        low,
        high,
        settings
            .optional("original_max_position_embeddings")
            .orElseGet(() -> config.required("max_position_embeddings"))
            .positiveNumber());
  }

  private static double number(JsonPlace settings, String key) {
    return settings.required(key).positiveNumber();
  }

  private static void requireWhole(JsonPlace factor) {
    if (factor.positiveNumber() != 1) {
      throw factor.wrong("1: every number of a head is turned");
    }
  }
}
