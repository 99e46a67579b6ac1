package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.MatrixProducts.Weight;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** Finds a model's tensors by name and holds each against the sizes that config.json states. */
final class WeightReader {
  private final WeightFiles files;
  private final ModelConfig config;
  private final Set<String> used = new HashSet<>();

  WeightReader(WeightFiles files, ModelConfig config) {
    this.files = files;
    this.config = config;
  }

  /**
   * Reads all weights.
   *
   * @throws InvalidInputException if a tensor is missing, has another shape or type, or if a layer
   *     holds one that the model's settings do not mention
   */
  DecoderWeights read() {
    Weight embedding =
        matrix("model.embed_tokens.weight", config.vocabularySize(), config.hiddenSize());
    List<LayerWeights> layers =
        IntStream.range(0, config.attention().layers()).mapToObj(this::layer).toList();
    RmsNorm finalNorm = norm("model.norm", config.hiddenSize());
    Weight output =
        config.tiedEmbeddings()
            ? embedding
            : matrix("lm_head.weight", config.vocabularySize(), config.hiddenSize());
    requireNothingUnread();
    return new DecoderWeights(embedding, layers, finalNorm, output);
  }

  private LayerWeights layer(int layer) {
    String prefix = "model.layers." + layer + ".";
    String attention = prefix + "self_attn.";
    String feedForward = prefix + "mlp.";
    int hidden = config.hiddenSize();
    int inner = config.intermediateSize();
    boolean inBias = config.biases().queryKeyValue();
    boolean outBias = config.biases().attentionOutput();
    boolean innerBias = config.biases().feedForward();
    return new LayerWeights(
        norm(prefix + "input_layernorm", hidden),
        projection(attention + "q_proj", config.queryWidth(), hidden, inBias),
        projection(attention + "k_proj", config.keyValueWidth(), hidden, inBias),
        projection(attention + "v_proj", config.keyValueWidth(), hidden, inBias),
        headNorm(attention + "q_norm"),
        headNorm(attention + "k_norm"),
        projection(attention + "o_proj", hidden, config.queryWidth(), outBias),
        norm(prefix + "post_attention_layernorm", hidden),
        projection(feedForward + "gate_proj", inner, hidden, innerBias),
        projection(feedForward + "up_proj", inner, hidden, innerBias),
        projection(feedForward + "down_proj", hidden, inner, innerBias));
  }

  private Projection projection(String prefix, int outputs, int inputs, boolean bias) {
    return new Projection(
        matrix(prefix + ".weight", outputs, inputs),
        bias ? vector(prefix + ".bias", outputs) : new float[0]);
  }

  private HeadNorm headNorm(String prefix) {
    return new HeadNorm(
        config.normalisesHeads()
            ? Optional.of(norm(prefix, config.attention().headDim()))
            : Optional.empty());
  }

  private RmsNorm norm(String prefix, int size) {
    return new RmsNorm(vector(prefix + ".weight", size), config.normEpsilon());
  }

  private Weight matrix(String name, int outputs, int inputs) {
    SafetensorsTensor tensor = tensor(name, List.of((long) outputs, (long) inputs));
    return new Weight(tensor.memory(), tensor.elementType(), outputs, inputs);
  }

  private float[] vector(String name, int size) {
    SafetensorsTensor tensor = tensor(name, List.of((long) size));
    float[] values = new float[size];
    tensor.elementType().load(tensor.memory(), 0, values, 0, size);
    return values;
  }

  private SafetensorsTensor tensor(String name, List<Long> shape) {
    SafetensorsTensor tensor = files.tensor(name);
    if (!tensor.shape().equals(shape)) {
      throw new InvalidInputException(
          "%s: tensor %s has the shape %s; allowed: %s, as config.json says"
              .formatted(tensor.file(), JsonPlace.quoted(name), tensor.shape(), shape));
    }
    used.add(name);
    return tensor;
  }

  /**
   * A bias or norm that the settings do not mention would change every number, so it is not passed
   * over. The frequencies that old Llama files carry are those that the settings give.
   */
  private void requireNothingUnread() {
    for (String name : files.tensorNames()) {
      boolean read = used.contains(name) || name.endsWith("rotary_emb.inv_freq");
      if (!read && name.startsWith("model.")) {
        throw new InvalidInputException(
            "%s: tensor %s is no part of a %s model with the settings of config.json"
                .formatted(
                    files.tensor(name).file(),
                    JsonPlace.quoted(name),
                    config.family().modelType()));
      }
    }
  }
}
