package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;

import dev.heddle.kernels.MatrixProducts.Weight;
import java.lang.foreign.MemorySegment;

/**
 * The product for many tokens. The weight is turned once into {@link WeightPanels}; then each task
 * multiplies a block of tokens with a share of the panels. A weight too large to be turned as a
 * whole is taken in several passes over its outputs.
 */
final class PanelWeightProduct {
  /** Slices of panels that exist at a time: 32 MiB. */
  private static final int MOST_SLICES = 512;

  /** At least so many tasks per thread, so that all end at about the same time. */
  private static final int TASKS_PER_THREAD = 4;

  private final WorkerPool pool;
  private final ScratchPool<WeightPanels> panelPool = new ScratchPool<>();
  private final ScratchPool<TokenBlock> blockPool = new ScratchPool<>();

  PanelWeightProduct(WorkerPool pool) {
    this.pool = pool;
  }

  void multiply(MemorySegment in, int tokens, Weight weight, MemorySegment out) {
    int slices = Math.ceilDiv(weight.inputs(), WeightPanels.SLICE);
    int panels = Math.ceilDiv(weight.outputs(), LANES);
    int most = Math.max(1, MOST_SLICES / slices);
    panelPool.use(
        packed -> packed.slices() == slices,
        () -> new WeightPanels(slices),
        packed -> {
          for (int first = 0; first < panels; first += most) {
            packed.pack(weight, first, Math.min(most, panels - first), pool);
            multiply(in, tokens, packed, out);
          }
        });
  }

  private void multiply(MemorySegment in, int tokens, WeightPanels packed, MemorySegment out) {
    int blocks = Math.ceilDiv(tokens, TokenBlock.TOKENS);
    int wanted = Math.ceilDiv(TASKS_PER_THREAD * pool.threads(), blocks);
    int shares = Math.clamp(packed.panels(), 1, wanted);
    pool.run(
        blocks * shares,
        number ->
            blockPool.use(
                block -> block.slices() == packed.slices(),
                () -> new TokenBlock(packed.slices()),
                block -> {
                  int share = number % shares;
                  block.load(in, number / shares * TokenBlock.TOKENS, tokens, packed.inputs());
                  int end = packed.panels() * (share + 1) / shares;
                  for (int panel = packed.panels() * share / shares; panel < end; panel++) {
                    block.multiply(packed, panel, out);
                  }
                }));
  }
}
