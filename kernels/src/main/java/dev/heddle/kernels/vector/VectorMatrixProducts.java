package dev.heddle.kernels.vector;

import dev.heddle.kernels.MatrixProducts;
import java.lang.foreign.MemorySegment;

/** Matrix products in float32 on the Vector API. */
final class VectorMatrixProducts implements MatrixProducts {
  /**
   * Up to this many tokens the weight is read row by row, as it lies: turning it into panels would
   * take longer than the product.
   */
  private static final int FEW_TOKENS = 8;

  private final WorkerPool pool;
  private final PanelWeightProduct byPanels;
  private final RowWeightProduct byRows;

  VectorMatrixProducts(int threads) {
    this.pool = new WorkerPool(VectorBackend.NAME, threads);
    this.byPanels = new PanelWeightProduct(pool);
    this.byRows = new RowWeightProduct(pool);
  }

  @Override
  public void multiply(MemorySegment in, int tokens, Weight weight, MemorySegment out) {
    weight.requireOperands(in, tokens, out);
    pool.requireAccess("in", in);
    pool.requireAccess("weight", weight.memory());
    pool.requireAccess("out", out);
    if (tokens <= FEW_TOKENS) {
      byRows.multiply(in, tokens, weight, out);
    } else {
      byPanels.multiply(in, tokens, weight, out);
    }
  }

  @Override
  public void close() {
    pool.close();
  }
}
