package dev.heddle.llm;

import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTensor;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.SparseAttention;
import java.util.List;
import java.util.Optional;

/**
 * One pass of some tokens through all layers on a device.
 *
 * @param memory its activations
 * @param cache the tokens before these; receives their keys and values
 * @param tokens how many tokens pass
 * @param attention computes the attention; empty for one token that continues a text, which is
 *     never sparse
 * @param times what is measured
 */
record DevicePass(
    DeviceActivations memory,
    DeviceKeyValueCache cache,
    int tokens,
    Optional<SparseAttention> attention,
    PartTimes times) {
  /** An address that is aligned as memory on the device is. */
  private static final long PLACEHOLDER = 256;

  /** Runs {@code task} over the tokens from {@code from} on. */
  void forChunks(int from, Pass.ChunkTask task) {
    for (int first = from; first < tokens; first += DeviceActivations.CHUNK_TOKENS) {
      task.run(first, Math.min(DeviceActivations.CHUNK_TOKENS, tokens - first));
    }
  }

  /** Tokens of the text up to the last of the pass. */
  int keyTokens() {
    return cache.tokens() + tokens;
  }

  /** Whether this is one token that continues a text. */
  boolean decoding() {
    return attention.isEmpty();
  }

  /** Where the pass begins in the text. */
  Place first() {
    return decoding() ? Place.in(memory.position()) : Place.at(cache.tokens());
  }

  /** What attention is given of a layer whose keys and values are {@code cached}. */
  GpuLayer layer(DeviceKeyValueCache.Layer cached, ElementType type) {
    return layer(
        cache.shape(),
        queryHeads(cache.shape(), memory.queries().address(), type, tokens),
        cache.view(cached.keys(), keyTokens()),
        cache.view(cached.values(), keyTokens()),
        queryHeads(cache.shape(), memory.attended().address(), type, tokens));
  }

  /** A layer of the sizes of a pass, at addresses that hold nothing. */
  static GpuLayer sizes(ModelShape shape, ElementType type, int tokens, int keyTokens) {
    GpuTensor queries = queryHeads(shape, PLACEHOLDER, type, tokens);
    GpuTensor keys =
        GpuTensor.contiguous(PLACEHOLDER, type, shape.keyValueHeads(), keyTokens, shape.headDim());
    return layer(shape, queries, keys, keys, queries);
  }

  private static GpuLayer layer(
      ModelShape shape, GpuTensor queries, GpuTensor keys, GpuTensor values, GpuTensor out) {
    return new GpuLayer(
        queries,
        keys,
        values,
        out,
        0,
        (float) (1 / Math.sqrt(shape.headDim())),
        BlockShape.DEFAULT,
        List.of(GpuSequence.whole(queries.tokens(), keys.tokens())));
  }

  /** {@code [token][queryHead][dim]} as heads. */
  private static GpuTensor queryHeads(
      ModelShape shape, long address, ElementType type, int tokens) {
    return new GpuTensor(
        address,
        type,
        shape.queryHeads(),
        tokens,
        shape.headDim(),
        shape.headDim(),
        (long) shape.queryHeads() * shape.headDim());
  }
}
