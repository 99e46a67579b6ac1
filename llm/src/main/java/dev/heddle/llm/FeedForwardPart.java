package dev.heddle.llm;

import dev.heddle.kernels.MatrixProducts;
import java.lang.foreign.MemorySegment;

/**
 * The feed-forward part of a layer: {@code hidden += down(silu(gate(x)) · up(x))}.
 *
 * @see <a href="https://arxiv.org/abs/2002.05202">GLU Variants Improve Transformer (2020)</a>
 */
final class FeedForwardPart {
  private final MatrixProducts products;
  private final RowThreads threads;
  private final ResidualStream residual;

  FeedForwardPart(MatrixProducts products, RowThreads threads) {
    this.products = products;
    this.threads = threads;
    this.residual = new ResidualStream(threads);
  }

  /** Runs it for the tokens from {@code from} on. */
  void run(LayerWeights layer, Pass pass, int from) {
    Activations memory = pass.memory();
    MemorySegment input = memory.normalised().memory();
    MemorySegment gate = memory.gate().memory();
    pass.forChunks(
        from,
        (first, count) -> {
          residual.normalise(layer.feedForwardNorm(), memory, first, count);
          products.multiply(input, count, layer.gate().weight(), gate);
          products.multiply(input, count, layer.up().weight(), memory.up().memory());
          openGates(layer, memory, count);
          products.multiply(gate, count, layer.down().weight(), memory.projected().memory());
          residual.add(layer.down(), memory, first, count);
        });
  }

  /** Replaces {@code gate} by {@code silu(gate) · up}. */
  private void openGates(LayerWeights layer, Activations memory, int count) {
    threads.forRows(
        count,
        (begin, end) -> {
          float[] gate = new float[memory.gate().width()];
          float[] up = new float[gate.length];
          Silu silu = new Silu(gate.length);
          for (int row = begin; row < end; row++) {
            memory.gate().load(row, gate);
            memory.up().load(row, up);
            layer.gate().addBias(gate);
            layer.up().addBias(up);
            silu.multiply(gate, up);
            memory.gate().store(row, gate);
          }
        });
  }
}
