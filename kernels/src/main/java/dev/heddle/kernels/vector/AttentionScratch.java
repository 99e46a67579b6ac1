package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;

import dev.heddle.kernels.AttentionCall;
import java.util.function.Consumer;

/** The heap memory that one thread computes a query block in. */
final class AttentionScratch {
  /**
   * Panels that share a tile: at head dim 128 each takes 64 KiB and the tile as much, which the
   * second-level cache of any server core holds.
   */
  static final int PANELS = 4;

  final int headDim;
  final KeyTile tile;
  final float[] scores = new float[KeyTile.KEYS * LANES];
  final QueryPanel[] panels = new QueryPanel[PANELS];

  AttentionScratch(int headDim) {
    this.headDim = headDim;
    this.tile = new KeyTile(headDim);
    for (int i = 0; i < PANELS; i++) {
      panels[i] = new QueryPanel(headDim);
    }
  }

  /** Runs {@code task} with scratch for the head dim of {@code call}. */
  static void use(
      ScratchPool<AttentionScratch> pool, AttentionCall call, Consumer<AttentionScratch> task) {
    int headDim = call.shape().headDim();
    pool.use(scratch -> scratch.headDim == headDim, () -> new AttentionScratch(headDim), task);
  }
}
