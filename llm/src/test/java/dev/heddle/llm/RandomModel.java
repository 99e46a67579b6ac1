package dev.heddle.llm;

import dev.heddle.api.ElementType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import tools.jackson.databind.json.JsonMapper;

/** A small random model that is written to a folder, with settings that a test may spoil. */
final class RandomModel {
  static final int VOCABULARY = 50;

  private final Map<String, Object> settings = new LinkedHashMap<>();
  private final Map<String, List<Long>> shapes = new LinkedHashMap<>();
  private final ElementType type;

  /** A model with {@code keyValueHeads} key/value heads, each shared by {@code group} heads. */
  RandomModel(String modelType, ElementType type, int keyValueHeads, int group) {
    this.type = type;
    settings.put("model_type", modelType);
    settings.put("vocab_size", VOCABULARY);
    settings.put("hidden_size", 36);
    settings.put("intermediate_size", 44);
    settings.put("num_hidden_layers", 2);
    settings.put("num_attention_heads", keyValueHeads * group);
    settings.put("num_key_value_heads", keyValueHeads);
    settings.put("head_dim", 32);
    settings.put("hidden_act", "silu");
    settings.put("rms_norm_eps", 1e-5);
    settings.put("rope_theta", 10_000.0);
    settings.put("max_position_embeddings", 2048);
    settings.put("tie_word_embeddings", false);
    settings.put("eos_token_id", 2);
  }

  RandomModel with(String key, Object value) {
    settings.put(key, value);
    return this;
  }

  RandomModel without(String key) {
    settings.remove(key);
    return this;
  }

  /** Writes {@code config.json} and {@code model.safetensors}. */
  RandomModel write(Path folder, long seed) {
    writeConfig(folder);
    ModelConfig config = ModelConfig.read(folder);
    listShapes(config);
    writeWeights(folder, seed);
    return this;
  }

  void writeConfig(Path folder) {
    try {
      Files.writeString(
          folder.resolve("config.json"), JsonMapper.shared().writeValueAsString(settings));
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
  }

  /** Replaces, adds or (with an empty list) removes a tensor, and writes the weights again. */
  void spoil(Path folder, String tensor, List<Long> shape) {
    if (shape.isEmpty()) {
      shapes.remove(tensor);
    } else {
      shapes.put(tensor, shape);
    }
    writeWeights(folder, 1);
  }

  private void writeWeights(Path folder, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<SafetensorsWriter.Tensor> tensors = new ArrayList<>();
    shapes.forEach((name, shape) -> tensors.add(tensor(name, shape, random)));
    SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
  }

  private SafetensorsWriter.Tensor tensor(String name, List<Long> shape, SplittableRandom random) {
    int elements = Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact));
    // Projections keep the size of what they read; those of Q and K are larger, so that
    // attention chooses rather than averages.
    double gain = name.contains("q_proj") || name.contains("k_proj") ? 1.5 : 1;
    double inputs = name.contains("embed") ? 1 : shape.getLast();
    double scale = shape.size() == 1 ? 0.2 : gain / Math.sqrt(inputs);
    double mean = name.contains("norm") ? 1 : 0;
    byte[] bytes = new byte[elements * type.bytes()];
    for (int i = 0; i < elements; i++) {
      type.store(MemorySegment.ofArray(bytes), i, (float) (mean + scale * random.nextGaussian()));
    }
    return new SafetensorsWriter.Tensor(
        name, TensorType.of(type), shape, MemorySegment.ofArray(bytes));
  }

  private void listShapes(ModelConfig config) {
    long hidden = config.hiddenSize();
    long vocabulary = config.vocabularySize();
    shapes.put("model.embed_tokens.weight", List.of(vocabulary, hidden));
    for (int layer = 0; layer < config.attention().layers(); layer++) {
      listLayer("model.layers." + layer + ".", config);
    }
    shapes.put("model.norm.weight", List.of(hidden));
    if (!config.tiedEmbeddings()) {
      shapes.put("lm_head.weight", List.of(vocabulary, hidden));
    }
  }

  private void listLayer(String prefix, ModelConfig config) {
    long hidden = config.hiddenSize();
    long inner = config.intermediateSize();
    boolean inBias = config.biases().queryKeyValue();
    boolean innerBias = config.biases().feedForward();
    long headDim = config.attention().headDim();
    list(prefix + "self_attn.q_proj", config.queryWidth(), hidden, inBias);
    list(prefix + "self_attn.k_proj", config.keyValueWidth(), hidden, inBias);
    list(prefix + "self_attn.v_proj", config.keyValueWidth(), hidden, inBias);
    list(
        prefix + "self_attn.o_proj",
        hidden,
        config.queryWidth(),
        config.biases().attentionOutput());
    list(prefix + "mlp.gate_proj", inner, hidden, innerBias);
    list(prefix + "mlp.up_proj", inner, hidden, innerBias);
    list(prefix + "mlp.down_proj", hidden, inner, innerBias);
    shapes.put(prefix + "input_layernorm.weight", List.of(hidden));
    shapes.put(prefix + "post_attention_layernorm.weight", List.of(hidden));
    if (config.normalisesHeads()) {
      shapes.put(prefix + "self_attn.q_norm.weight", List.of(headDim));
      shapes.put(prefix + "self_attn.k_norm.weight", List.of(headDim));
    }
  }

  private void list(String prefix, long outputs, long inputs, boolean bias) {
    shapes.put(prefix + ".weight", List.of(outputs, inputs));
    if (bias) {
      shapes.put(prefix + ".bias", List.of(outputs));
    }
  }
}
