package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;

import dev.heddle.kernels.AttentionCall;
import java.util.function.Consumer;

/** The heap memory that one thread computes a query block in. */
final class AttentionScratch {
  /**
   * What the panels that share a tile may take, half of the second-level cache of a server core.
   * Each takes 64 KiB at head dim 128.
   */
  private static final int PANEL_BYTES = 512 * 1024;

  /** More panels share the cost of copying a tile no further: with 8 it is 2 %. */
  private static final int MOST_PANELS = 8;

  final int headDim;
  final KeyTile tile;
  final float[] scores = new float[KeyTile.KEYS * LANES];
  final QueryPanel[] panels;

  AttentionScratch(int headDim) {
    this.headDim = headDim;
    this.tile = new KeyTile(headDim);
    this.panels = new QueryPanel[panels(headDim)];
    for (int i = 0; i < panels.length; i++) {
      panels[i] = new QueryPanel(headDim);
    }
  }

  /** Panels that share a tile. */
  static int panels(int headDim) {
    return Math.min(MOST_PANELS, PANEL_BYTES / (2 * Float.BYTES * headDim * LANES));
  }

  /** Runs {@code task} with scratch for the head dim of {@code call}. */
  static void use(
      ScratchPool<AttentionScratch> pool, AttentionCall call, Consumer<AttentionScratch> task) {
    int headDim = call.shape().headDim();
    pool.use(scratch -> scratch.headDim == headDim, () -> new AttentionScratch(headDim), task);
  }
}
