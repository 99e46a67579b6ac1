package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.MatrixProducts;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.Prefill;
import dev.heddle.runtime.PrefillReport;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** The attention part of a layer: {@code hidden += output(attention(q, k, v))}. */
final class AttentionPart {
  private final ModelShape shape;
  private final MatrixProducts products;
  private final RowThreads threads;
  private final ResidualStream residual;

  AttentionPart(ModelShape shape, MatrixProducts products, RowThreads threads) {
    this.shape = shape;
    this.products = products;
    this.threads = threads;
    this.residual = new ResidualStream(threads);
  }

  /** Writes Q of the whole pass, and its K and V behind those in the cache. */
  void project(int layerNumber, LayerWeights layer, Pass pass) {
    Activations memory = pass.memory();
    MemorySegment input = memory.normalised().memory();
    pass.forChunks(
        0,
        (first, count) -> {
          residual.normalise(layer.attentionNorm(), memory, first, count);
          MemorySegment queries = memory.queries().rows(first, count);
          products.multiply(input, count, layer.query().weight(), queries);
          products.multiply(input, count, layer.key().weight(), memory.keys().memory());
          products.multiply(input, count, layer.value().weight(), memory.values().memory());
          threads.forRows(
              count,
              (begin, end) -> {
                HeadRows rows = new HeadRows(shape, layer, memory);
                for (int row = begin; row < end; row++) {
                  rows.finish(first + row, row, pass.cache(), layerNumber);
                }
              });
        });
  }

  /** Attention over the text so far. Returns what was computed, where that was a prefill. */
  Optional<PrefillReport> attend(int layerNumber, Pass pass, PrefillProgress progress) {
    HostKeyValueCache cache = pass.cache();
    Prefill prefill =
        Prefill.of(
            queryHeads(pass.memory().queries(), pass.tokens()),
            cache.keys(layerNumber, pass.keyTokens()),
            cache.values(layerNumber, pass.keyTokens()),
            queryHeads(pass.memory().attended(), pass.tokens()));
    if (pass.decoding()) {
      pass.attention().decode(layerNumber, prefill);
      return Optional.empty();
    }
    PrefillReport report = pass.attention().prefill(layerNumber, prefill);
    progress.onAttention(layerNumber, prefill);
    return Optional.of(report);
  }

  /** Adds what attention found to the running sum of the tokens from {@code from} on. */
  void addOutput(LayerWeights layer, Pass pass, int from) {
    Activations memory = pass.memory();
    pass.forChunks(
        from,
        (first, count) -> {
          MemorySegment attended = memory.attended().rows(first, count);
          MemorySegment projected = memory.projected().memory();
          products.multiply(attended, count, layer.output().weight(), projected);
          residual.add(layer.output(), memory, first, count);
        });
  }

  private HeadTensor queryHeads(FloatRows rows, int tokens) {
    return HeadTensor.interleaved(
        rows.memory(), ElementType.FLOAT32, shape.queryHeads(), tokens, shape.headDim());
  }
}
