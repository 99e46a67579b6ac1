package dev.heddle.llm;

import dev.heddle.runtime.ModelShape;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What {@code config.json} says of a model.
 *
 * @param family which little differences from Llama apply
 * @param attention layers, heads and head dim
 * @param hiddenSize numbers per token between the layers
 * @param intermediateSize numbers per token inside the feed-forward part
 * @param vocabularySize token ids are below this
 * @param maxPositions tokens that the model can read and write together
 * @param normEpsilon added to the mean square before its root
 * @param rotary how positions turn Q and K
 * @param biases which projections have biases
 * @param tiedEmbeddings whether the output matrix is the embedding matrix
 * @param slidingWindow keys that a query may see, itself included; empty when all
 * @param endTokens ids that end a text
 */
public record ModelConfig(
    ModelFamily family,
    ModelShape attention,
    int hiddenSize,
    int intermediateSize,
    int vocabularySize,
    int maxPositions,
    float normEpsilon,
    Rotary rotary,
    Biases biases,
    boolean tiedEmbeddings,
    OptionalInt slidingWindow,
    Set<Integer> endTokens) {
  public ModelConfig {
    endTokens = Set.copyOf(endTokens);
  }

  /**
   * How positions turn Q and K.
   *
   * @param theta base of the frequencies
   * @param scaling how they are stretched for long texts
   */
  public record Rotary(double theta, RotaryScaling scaling) {}

  /**
   * Which projections add a bias.
   *
   * @param queryKeyValue those to Q, K and V
   * @param attentionOutput the one from the heads back to the hidden size
   * @param feedForward the three of the feed-forward part
   */
  public record Biases(boolean queryKeyValue, boolean attentionOutput, boolean feedForward) {}

  /**
   * Reads {@code config.json} and, where there is one, {@code generation_config.json}.
   *
   * @param folder a model folder in the Hugging Face layout
   * @throws dev.heddle.api.InvalidInputException naming the file, the key, the value and what is
   *     allowed
   */
  public static ModelConfig read(Path folder) {
    return new ModelConfigReader(folder).read();
  }

  /** Numbers per token of Q, over all heads. */
  public int queryWidth() {
    return attention.queryHeads() * attention.headDim();
  }

  /** Numbers per token of K, and of V, over all heads. */
  public int keyValueWidth() {
    return attention.keyValueHeads() * attention.headDim();
  }

  /** Whether each head of Q and K is normalised before it is turned. */
  public boolean normalisesHeads() {
    return family == ModelFamily.QWEN3;
  }
}
