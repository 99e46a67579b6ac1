package dev.heddle.kernels.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The one inner loop of this package: the product of a matrix with a <em>panel</em>, a matrix that
 * is {@link #LANES} wide.
 *
 * <pre>
 *     target[row][lane] = Σ_step left[row][step] · panel[step][lane]  ( + scale[lane] · target[row][lane] )
 * </pre>
 *
 * <p>Panel and target are float32 {@code [..][LANES]} in the heap. A block of the target stays in
 * registers over all steps. At 512 bits, where there are 32 registers, it is 6 rows x 4 vectors: 95
 * to 97 % of the peak of a Zen 4 (118 GFLOP/s per thread), where 4 x 4 reach 86 to 96 %. The other
 * blocks are for what is left over: 12 rows x 2 vectors (92 to 96 %), 8 x 2 (80 to 84 %), 8 x 1 (65
 * %).
 */
final class PanelProduct {
  /** Lanes of a panel. */
  static final int LANES = 64;

  /** The rows of a left matrix are a multiple of this. */
  static final int ROW_STEP = 8;

  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  /** Lanes of one vector. */
  static final int VECTOR = SPECIES.length();

  private static final int WIDE = 4 * VECTOR;
  private static final int PAIR = 2 * VECTOR;

  /** Whether 24 sums and what they are made of fit the registers. */
  private static final boolean TALL = SPECIES.vectorBitSize() == 512;

  private PanelProduct() {}

  /**
   * The left matrix: element {@code (row, step)} is {@code values[row * rowStride + step *
   * stepStride]}.
   *
   * @param rows a multiple of {@link #ROW_STEP}
   */
  @SuppressWarnings("ArrayRecordComponent") // a view of scratch, never compared
  record Left(float[] values, int rows, int rowStride, int steps, int stepStride) {}

  /**
   * What receives the product.
   *
   * @param values {@code [rows][LANES]}
   * @param scale the factor of each lane on what {@code values} holds so far; empty to overwrite it
   */
  @SuppressWarnings("ArrayRecordComponent") // a view of scratch, never compared
  record Target(float[] values, float[] scale) {
    private static final float[] OVERWRITE = {};

    static Target overwrite(float[] values) {
      return new Target(values, OVERWRITE);
    }

    boolean accumulates() {
      return scale.length > 0;
    }
  }

  /** {@code lanes} rounded up to whole vectors: what is computed for them. */
  static int wholeVectors(int lanes) {
    return Math.ceilDiv(lanes, VECTOR) * VECTOR;
  }

  /** Computes some lanes of the product. */
  static void multiply(Left left, float[] panel, LaneRange lanes, Target target) {
    int lane = lanes.from();
    for (; lane + WIDE <= lanes.end(); lane += WIDE) {
      int tall = TALL ? rowsInBlocksOf(6, 4, left.rows) : 0;
      for (int row = 0; row < tall; row += 6) {
        WideBlocks.sixByFour(left, row, panel, lane, target);
      }
      for (int row = tall; row < left.rows; row += 4) {
        WideBlocks.fourByFour(left, row, panel, lane, target);
      }
    }
    for (; lane + PAIR <= lanes.end(); lane += PAIR) {
      int tall = TALL ? rowsInBlocksOf(12, 8, left.rows) : 0;
      for (int row = 0; row < tall; row += 12) {
        NarrowBlocks.twelveByTwo(left, row, panel, lane, target);
      }
      for (int row = tall; row < left.rows; row += 8) {
        NarrowBlocks.eightByTwo(left, row, panel, lane, target);
      }
    }
    for (; lane < lanes.end(); lane += VECTOR) {
      for (int row = 0; row < left.rows; row += 8) {
        NarrowBlocks.eightByOne(left, row, panel, lane, target);
      }
    }
  }

  /**
   * The most of {@code rows} in blocks of {@code tall} rows that leave whole blocks of {@code low}.
   */
  private static int rowsInBlocksOf(int tall, int low, int rows) {
    int most = rows / tall * tall;
    while ((rows - most) % low != 0) {
      most -= tall;
    }
    return most;
  }
}
