package com.example.library;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.runtime.ModelShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.random.RandomGenerator;

/**
 * The tensors of one layer in host memory, float32, {@code [head][token][dim]}.
 *
 * @param q Q of the last tokens
 * @param k K of all tokens
 * @param v V of all tokens
 * @param out receives the attention's output
 */
record Layer(HeadTensor q, HeadTensor k, HeadTensor v, HeadTensor out) {
  /** Random numbers in the place of a model's. */
  static Layer random(ModelShape model, int tokens, Arena arena, RandomGenerator random) {
    Layer layer =
        new Layer(
            tensor(arena, model.queryHeads(), tokens, model.headDim()),
            tensor(arena, model.keyValueHeads(), tokens, model.headDim()),
            tensor(arena, model.keyValueHeads(), tokens, model.headDim()),
            tensor(arena, model.queryHeads(), tokens, model.headDim()));
    for (HeadTensor input : new HeadTensor[] {layer.q, layer.k, layer.v}) {
      for (long i = 0; i < input.memory().byteSize() / Float.BYTES; i++) {
        float value = (float) random.nextGaussian();
        input.memory().setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
      }
    }
    return layer;
  }

  static HeadTensor tensor(Arena arena, int heads, int tokens, int headDim) {
    MemorySegment memory = arena.allocate((long) Float.BYTES * heads * tokens * headDim, 64);
    return HeadTensor.contiguous(memory, ElementType.FLOAT32, heads, tokens, headDim);
  }

  /** The last {@code queries} tokens as a chunk: their rows of Q, all of K and V, an own output. */
  Layer chunk(int queries, Arena arena) {
    long skipped = (long) (q.tokens() - queries) * q.headDim() * Float.BYTES;
    HeadTensor rows =
        new HeadTensor(
            q.memory().asSlice(skipped),
            q.type(),
            q.heads(),
            queries,
            q.headDim(),
            q.headStride(), // the heads lie as far apart as before
            q.tokenStride());
    return new Layer(rows, k, v, tensor(arena, q.heads(), queries, q.headDim()));
  }
}
