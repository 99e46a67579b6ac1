package dev.heddle.pattern.verticalslash;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuCost;
import dev.heddle.api.Options;

/**
 * What a head is likely to take on a GPU, from its budgets alone. Which offsets it keeps is known
 * only once its index is built; taken are half of them next to the diagonal, as one band, and the
 * others in runs of {@link VerticalSlashSizes#USUAL_RUN} anywhere before it. A query block of R
 * rows reads R - 1 keys more than a run has offsets.
 */
record VerticalSlashCost(AttentionShape shape, BlockShape blocks) {
  // Measured on an H100, 16-bit numbers, head dim 128, 32 heads, 2026-11-25. At 8,192 tokens a tile
  // of 128
  // keys of dense attention takes 1.73 us, one of listed blocks 1.89 and one of columns 2.45; at
  // 4,096 and
  // 16,384 tokens listed blocks take as long as dense attention.
  private static final double BLOCK = 1.05;
  private static final double COLUMN = 1.4;

  /** 0.75 ms for 131,072 keys. */
  private static final double INDEX_CELLS_PER_KEY = 210;

  /**
   * Nine launches, and waiting for how long the lists are: at 4,096 and 8,192 tokens a layer's
   * index takes 0.2 ms and more.
   */
  private static final long LAYER_NANOS = 150_000;

  GpuCost of(Options options) {
    double slashes = VerticalSlashSizes.slashes(options);
    double local = Math.max(options.get(VerticalSlashPattern.LOCAL), slashes / 2);
    double further = blocks.queryRows() - 1.0;
    // Of the rows' triangle at the diagonal half lies above it, and is no cell.
    double width = Math.min(shape.keyTokens(), local + further / 2);
    double near = shape.bandCells((long) width);
    double beyond = shape.causalCells() - near;
    double runs = (slashes - local) / VerticalSlashSizes.USUAL_RUN;
    double span = Math.max(1, shape.keyTokens() - width);
    // Runs that fall anywhere also fall on each other.
    double far = beyond * -Math.expm1(-runs * (VerticalSlashSizes.USUAL_RUN + further) / span);
    double columns =
        (beyond - far)
            * Math.min(1.0, (double) VerticalSlashSizes.verticals(options) / shape.keyTokens());
    return new GpuCost(
        BLOCK * (near + far) + COLUMN * columns,
        INDEX_CELLS_PER_KEY * shape.keyTokens(),
        LAYER_NANOS);
  }
}
