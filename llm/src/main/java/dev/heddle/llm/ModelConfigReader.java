package dev.heddle.llm;

import dev.heddle.llm.ModelConfig.Biases;
import dev.heddle.runtime.ModelShape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads {@code config.json}. Keys that are missing have the value that the family's configuration
 * class in transformers gives them; keys that change the computation in a way that is not known
 * here are refused.
 */
final class ModelConfigReader {
  private static final int QWEN3_HEAD_DIM = 128;
  private static final double DEFAULT_NORM_EPSILON = 1e-6;

  private final Path folder;
  private final JsonPlace config;

  ModelConfigReader(Path folder) {
    this.folder = folder;
    this.config = JsonFiles.readObject(folder.resolve("config.json"));
  }

  ModelConfig read() {
    ModelFamily family = family();
    requireKnownComputation();
    return new ModelConfig(
        family,
        attentionShape(family),
        positive("hidden_size"),
        positive("intermediate_size"),
        positive("vocab_size"),
        positive("max_position_embeddings"),
        (float)
            config
                .optional("rms_norm_eps")
                .map(JsonPlace::positiveNumber)
                .orElse(DEFAULT_NORM_EPSILON)
                .doubleValue(),
        new RotaryReader(config).read(),
        biases(family),
        flag("tie_word_embeddings"),
        slidingWindow(family),
        endTokens());
  }

  private ModelFamily family() {
    JsonPlace place = config.required("model_type");
    return ModelFamily.ofModelType(place.string())
        .orElseThrow(() -> place.wrong(ModelFamily.modelTypes()));
  }

  private void requireKnownComputation() {
    Optional<JsonPlace> activation = config.optional("hidden_act");
    if (activation.isPresent() && !activation.get().string().equals("silu")) {
      throw activation.get().wrong("\"silu\"");
    }
    Optional<JsonPlace> quantised = config.optional("quantization_config");
    if (quantised.isPresent()) {
      throw quantised.get().error("quantised weights cannot be read; allowed: F32, F16, BF16");
    }
  }

  private ModelShape attentionShape(ModelFamily family) {
    int queryHeads = positive("num_attention_heads");
    Optional<JsonPlace> keyValueHeads = config.optional("num_key_value_heads");
    if (keyValueHeads.isEmpty() && family != ModelFamily.LLAMA) {
      keyValueHeads = Optional.of(config.required("num_key_value_heads"));
    }
    int shared = keyValueHeads.map(place -> place.integer(1)).orElse(queryHeads);
    if (queryHeads % shared != 0) {
      throw keyValueHeads
          .orElseThrow()
          .wrong("a divisor of num_attention_heads, which is " + queryHeads);
    }
    int headDim = headDim(family, queryHeads);
    if ((long) queryHeads * headDim > Integer.MAX_VALUE) {
      throw config
          .required("num_attention_heads")
          .wrong(
              "at most %d with a head dim of %d".formatted(Integer.MAX_VALUE / headDim, headDim));
    }
    return new ModelShape(positive("num_hidden_layers"), queryHeads, shared, headDim);
  }

  private int headDim(ModelFamily family, int queryHeads) {
    Optional<JsonPlace> given = config.optional("head_dim");
    if (given.isPresent()) {
      int headDim = given.get().integer(1);
      if (headDim % 2 != 0) {
        throw given.get().wrong("an even number: positions turn pairs");
      }
      return headDim;
    }
    if (family == ModelFamily.QWEN3) {
      return QWEN3_HEAD_DIM;
    }
    JsonPlace hiddenSize = config.required("hidden_size");
    if (hiddenSize.integer(1) % (2L * queryHeads) != 0) {
      throw hiddenSize.wrong(
          "an even multiple of num_attention_heads, which is %d, or a head_dim beside it"
              .formatted(queryHeads));
    }
    return hiddenSize.integer(1) / queryHeads;
  }

  private Biases biases(ModelFamily family) {
    boolean attention = flag("attention_bias");
    return switch (family) {
      case LLAMA -> new Biases(attention, attention, flag("mlp_bias"));
      case MISTRAL -> new Biases(false, false, false);
      case QWEN2 -> new Biases(true, false, false);
      case QWEN3 -> new Biases(attention, attention, false);
    };
  }

  private OptionalInt slidingWindow(ModelFamily family) {
    boolean active =
        switch (family) {
          case LLAMA -> false;
          case MISTRAL -> true;
          case QWEN2, QWEN3 -> flag("use_sliding_window");
        };
    Optional<JsonPlace> window = config.optional("sliding_window");
    return active && window.isPresent()
        ? OptionalInt.of(window.get().integer(1))
        : OptionalInt.empty();
  }

  private Set<Integer> endTokens() {
    Set<Integer> tokens = new HashSet<>(endTokens(config));
    Path generation = folder.resolve("generation_config.json");
    if (Files.exists(generation)) {
      // Chat models name their end-of-turn token only there.
      tokens.addAll(endTokens(JsonFiles.readObject(generation)));
    }
    return tokens;
  }

  private static List<Integer> endTokens(JsonPlace file) {
    Optional<JsonPlace> place = file.optional("eos_token_id");
    if (place.isEmpty()) {
      return List.of();
    }
    List<JsonPlace> ids =
        place.get().node().isArray() ? place.get().elements() : List.of(place.get());
    return ids.stream().map(id -> id.integer(0)).toList();
  }

  private int positive(String key) {
    return config.required(key).integer(1);
  }

  private boolean flag(String key) {
    return config.optional(key).map(JsonPlace::bool).orElse(false);
  }
}
