package dev.heddle.llm;

import dev.heddle.runtime.ModelShape;

/**
 * Makes Q, K and V of single tokens out of their projections: biases, norms of heads, and the turn
 * by the token's position. Scratch of one thread.
 */
final class HeadRows {
  private final ModelShape shape;
  private final LayerWeights layer;
  private final Activations memory;
  private final float[] query;
  private final float[] keyOrValue;
  private final float[] cosines;
  private final float[] sines;

  HeadRows(ModelShape shape, LayerWeights layer, Activations memory) {
    this.shape = shape;
    this.layer = layer;
    this.memory = memory;
    query = new float[memory.queries().width()];
    keyOrValue = new float[memory.keys().width()];
    cosines = new float[memory.cosines().width()];
    sines = new float[memory.sines().width()];
  }

  /**
   * Finishes one token.
   *
   * @param token its row in the pass; Q is changed in place
   * @param row its row in the chunk of K and V
   * @param cache receives K and V at {@code position} of layer {@code layerNumber}
   */
  void finish(int token, int row, HostKeyValueCache cache, int layerNumber) {
    memory.cosines().load(token, cosines);
    memory.sines().load(token, sines);
    memory.queries().load(token, query);
    layer.query().addBias(query);
    turn(query, layer.queryNorm());
    memory.queries().store(token, query);

    int position = cache.tokens() + token;
    memory.keys().load(row, keyOrValue);
    layer.key().addBias(keyOrValue);
    turn(keyOrValue, layer.keyNorm());
    cache.storeKey(layerNumber, position, keyOrValue);

    memory.values().load(row, keyOrValue);
    layer.value().addBias(keyOrValue);
    cache.storeValue(layerNumber, position, keyOrValue);
  }

  private void turn(float[] row, HeadNorm norm) {
    for (int offset = 0; offset < row.length; offset += shape.headDim()) {
      norm.apply(row, offset);
      RotaryEmbedding.turn(row, offset, cosines, sines);
    }
  }
}
