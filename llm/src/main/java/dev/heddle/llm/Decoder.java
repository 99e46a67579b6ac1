package dev.heddle.llm;

import dev.heddle.kernels.MatrixProducts;
import dev.heddle.kernels.MatrixProducts.Weight;
import dev.heddle.runtime.PrefillReport;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/** The layers, between the embedding of tokens and the logits. */
final class Decoder {
  /** Positions whose logits are computed at once: a large vocabulary has 150,000 numbers each. */
  private static final int LOGIT_ROWS = 64;

  private static final double PARTS = 3;

  private final ModelConfig config;
  private final DecoderWeights weights;
  private final MatrixProducts products;
  private final RowThreads threads;
  private final RotaryEmbedding rotary;
  private final AttentionPart attention;
  private final FeedForwardPart feedForward;

  Decoder(ModelConfig config, DecoderWeights weights, MatrixProducts products, RowThreads threads) {
    this.config = config;
    this.weights = weights;
    this.products = products;
    this.threads = threads;
    this.rotary = new RotaryEmbedding(config.rotary(), config.attention().headDim());
    this.attention = new AttentionPart(config.attention(), products, threads);
    this.feedForward = new FeedForwardPart(products, threads);
  }

  /**
   * Passes {@code tokens} through all layers and leaves their keys and values in the cache.
   *
   * @param firstNeeded the first token whose output is read: no later layer reads those before, so
   *     that the last one need not finish them
   */
  List<PrefillReport> run(int[] tokens, Pass pass, int firstNeeded, PrefillProgress progress) {
    embed(tokens, pass);
    List<PrefillReport> reports = new ArrayList<>();
    int layers = weights.layers().size();
    for (int number = 0; number < layers; number++) {
      Interruptions.check();
      LayerWeights layer = weights.layers().get(number);
      attention.project(number, layer, pass);
      progress.onProgress(number, (number + 1 / PARTS) / layers);
      attention.attend(number, pass, progress).ifPresent(reports::add);
      progress.onProgress(number, (number + 2 / PARTS) / layers);
      int from = number == layers - 1 ? firstNeeded : 0;
      attention.addOutput(layer, pass, from);
      feedForward.run(layer, pass, from);
      progress.onProgress(number, (number + 1.0) / layers);
    }
    pass.cache().advance(pass.tokens());
    return reports;
  }

  /** The logits at {@code positions} of the pass, in that order. */
  Logits logits(Pass pass, int[] positions) {
    float[][] rows = new float[positions.length][config.vocabularySize()];
    if (positions.length == 0) {
      return new Logits(rows);
    }
    try (Arena arena = Arena.ofShared()) {
      int chunk = Math.min(positions.length, LOGIT_ROWS);
      FloatRows input = FloatRows.allocate(arena, chunk, config.hiddenSize());
      FloatRows output = FloatRows.allocate(arena, chunk, config.vocabularySize());
      float[] row = new float[config.hiddenSize()];
      for (int first = 0; first < positions.length; first += chunk) {
        int count = Math.min(chunk, positions.length - first);
        for (int i = 0; i < count; i++) {
          pass.memory().hidden().load(positions[first + i], row);
          weights.finalNorm().apply(row, 0);
          input.store(i, row);
        }
        products.multiply(input.memory(), count, weights.output(), output.memory());
        for (int i = 0; i < count; i++) {
          output.load(i, rows[first + i]);
        }
      }
    }
    return new Logits(rows);
  }

  private void embed(int[] tokens, Pass pass) {
    Activations memory = pass.memory();
    Weight embedding = weights.embedding();
    threads.forRows(
        tokens.length,
        (begin, end) -> {
          float[] row = new float[config.hiddenSize()];
          float[] cosines = new float[rotary.pairs()];
          float[] sines = new float[rotary.pairs()];
          for (int token = begin; token < end; token++) {
            long offset = (long) tokens[token] * row.length;
            embedding.type().load(embedding.memory(), offset, row, 0, row.length);
            memory.hidden().store(token, row);
            rotary.angles(pass.cache().tokens() + token, cosines, sines);
            memory.cosines().store(token, cosines);
            memory.sines().store(token, sines);
          }
        });
  }
}
