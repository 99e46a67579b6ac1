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
 * registers over all steps: 4 rows x 4 vectors, which reaches 104 to 114 GFLOP/s on one thread of a
 * Zen 4 at 512 bits (its peak is about 115), and 8 rows x 1 vector (75 GFLOP/s) for the lanes that
 * are left over. The blocks are written out because vectors that are passed to a method with many
 * arguments, or taken from a constant, are boxed, at a tenth of the speed.
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

  /** Computes the first {@code lanes} lanes, whole vectors, of the product. */
  static void multiply(Left left, float[] panel, int lanes, Target target) {
    int lane = 0;
    for (; lane + WIDE <= lanes; lane += WIDE) {
      for (int row = 0; row < left.rows; row += 4) {
        wideBlock(left, row, panel, lane, target);
      }
    }
    for (; lane < lanes; lane += VECTOR) {
      for (int row = 0; row < left.rows; row += ROW_STEP) {
        tallBlock(left, row, panel, lane, target);
      }
    }
  }

  /** Rows {@code row} to {@code row + 3}, four vectors from {@code lane}. */
  private static void wideBlock(Left left, int row, float[] panel, int lane, Target target) {
    float[] values = left.values;
    int stepStride = left.stepStride;
    int row0 = row * left.rowStride;
    int row1 = row0 + left.rowStride;
    int row2 = row1 + left.rowStride;
    int row3 = row2 + left.rowStride;
    FloatVector sum00 = FloatVector.zero(SPECIES);
    FloatVector sum01 = FloatVector.zero(SPECIES);
    FloatVector sum02 = FloatVector.zero(SPECIES);
    FloatVector sum03 = FloatVector.zero(SPECIES);
    FloatVector sum10 = FloatVector.zero(SPECIES);
    FloatVector sum11 = FloatVector.zero(SPECIES);
    FloatVector sum12 = FloatVector.zero(SPECIES);
    FloatVector sum13 = FloatVector.zero(SPECIES);
    FloatVector sum20 = FloatVector.zero(SPECIES);
    FloatVector sum21 = FloatVector.zero(SPECIES);
    FloatVector sum22 = FloatVector.zero(SPECIES);
    FloatVector sum23 = FloatVector.zero(SPECIES);
    FloatVector sum30 = FloatVector.zero(SPECIES);
    FloatVector sum31 = FloatVector.zero(SPECIES);
    FloatVector sum32 = FloatVector.zero(SPECIES);
    FloatVector sum33 = FloatVector.zero(SPECIES);
    for (int step = 0; step < left.steps; step++) {
      int from = step * LANES + lane;
      int at = step * stepStride;
      FloatVector panel0 = FloatVector.fromArray(SPECIES, panel, from);
      FloatVector panel1 = FloatVector.fromArray(SPECIES, panel, from + VECTOR);
      FloatVector panel2 = FloatVector.fromArray(SPECIES, panel, from + 2 * VECTOR);
      FloatVector panel3 = FloatVector.fromArray(SPECIES, panel, from + 3 * VECTOR);
      FloatVector factor = FloatVector.broadcast(SPECIES, values[row0 + at]);
      sum00 = factor.fma(panel0, sum00);
      sum01 = factor.fma(panel1, sum01);
      sum02 = factor.fma(panel2, sum02);
      sum03 = factor.fma(panel3, sum03);
      factor = FloatVector.broadcast(SPECIES, values[row1 + at]);
      sum10 = factor.fma(panel0, sum10);
      sum11 = factor.fma(panel1, sum11);
      sum12 = factor.fma(panel2, sum12);
      sum13 = factor.fma(panel3, sum13);
      factor = FloatVector.broadcast(SPECIES, values[row2 + at]);
      sum20 = factor.fma(panel0, sum20);
      sum21 = factor.fma(panel1, sum21);
      sum22 = factor.fma(panel2, sum22);
      sum23 = factor.fma(panel3, sum23);
      factor = FloatVector.broadcast(SPECIES, values[row3 + at]);
      sum30 = factor.fma(panel0, sum30);
      sum31 = factor.fma(panel1, sum31);
      sum32 = factor.fma(panel2, sum32);
      sum33 = factor.fma(panel3, sum33);
    }
    float[] result = target.values;
    int to = row * LANES + lane;
    if (target.accumulates()) {
      float[] scale = target.scale;
      FloatVector scale0 = FloatVector.fromArray(SPECIES, scale, lane);
      FloatVector scale1 = FloatVector.fromArray(SPECIES, scale, lane + VECTOR);
      FloatVector scale2 = FloatVector.fromArray(SPECIES, scale, lane + 2 * VECTOR);
      FloatVector scale3 = FloatVector.fromArray(SPECIES, scale, lane + 3 * VECTOR);
      sum00 = FloatVector.fromArray(SPECIES, result, to).fma(scale0, sum00);
      sum01 = FloatVector.fromArray(SPECIES, result, to + VECTOR).fma(scale1, sum01);
      sum02 = FloatVector.fromArray(SPECIES, result, to + 2 * VECTOR).fma(scale2, sum02);
      sum03 = FloatVector.fromArray(SPECIES, result, to + 3 * VECTOR).fma(scale3, sum03);
      sum10 = FloatVector.fromArray(SPECIES, result, to + LANES).fma(scale0, sum10);
      sum11 = FloatVector.fromArray(SPECIES, result, to + LANES + VECTOR).fma(scale1, sum11);
      sum12 = FloatVector.fromArray(SPECIES, result, to + LANES + 2 * VECTOR).fma(scale2, sum12);
      sum13 = FloatVector.fromArray(SPECIES, result, to + LANES + 3 * VECTOR).fma(scale3, sum13);
      sum20 = FloatVector.fromArray(SPECIES, result, to + 2 * LANES).fma(scale0, sum20);
      sum21 = FloatVector.fromArray(SPECIES, result, to + 2 * LANES + VECTOR).fma(scale1, sum21);
      sum22 =
          FloatVector.fromArray(SPECIES, result, to + 2 * LANES + 2 * VECTOR).fma(scale2, sum22);
      sum23 =
          FloatVector.fromArray(SPECIES, result, to + 2 * LANES + 3 * VECTOR).fma(scale3, sum23);
      sum30 = FloatVector.fromArray(SPECIES, result, to + 3 * LANES).fma(scale0, sum30);
      sum31 = FloatVector.fromArray(SPECIES, result, to + 3 * LANES + VECTOR).fma(scale1, sum31);
      sum32 =
          FloatVector.fromArray(SPECIES, result, to + 3 * LANES + 2 * VECTOR).fma(scale2, sum32);
      sum33 =
          FloatVector.fromArray(SPECIES, result, to + 3 * LANES + 3 * VECTOR).fma(scale3, sum33);
    }
    sum00.intoArray(result, to);
    sum01.intoArray(result, to + VECTOR);
    sum02.intoArray(result, to + 2 * VECTOR);
    sum03.intoArray(result, to + 3 * VECTOR);
    sum10.intoArray(result, to + LANES);
    sum11.intoArray(result, to + LANES + VECTOR);
    sum12.intoArray(result, to + LANES + 2 * VECTOR);
    sum13.intoArray(result, to + LANES + 3 * VECTOR);
    sum20.intoArray(result, to + 2 * LANES);
    sum21.intoArray(result, to + 2 * LANES + VECTOR);
    sum22.intoArray(result, to + 2 * LANES + 2 * VECTOR);
    sum23.intoArray(result, to + 2 * LANES + 3 * VECTOR);
    sum30.intoArray(result, to + 3 * LANES);
    sum31.intoArray(result, to + 3 * LANES + VECTOR);
    sum32.intoArray(result, to + 3 * LANES + 2 * VECTOR);
    sum33.intoArray(result, to + 3 * LANES + 3 * VECTOR);
  }

  /** Rows {@code row} to {@code row + 7}, one vector from {@code lane}. */
  private static void tallBlock(Left left, int row, float[] panel, int lane, Target target) {
    float[] values = left.values;
    int rowStride = left.rowStride;
    int stepStride = left.stepStride;
    int first = row * rowStride;
    FloatVector sum0 = FloatVector.zero(SPECIES);
    FloatVector sum1 = FloatVector.zero(SPECIES);
    FloatVector sum2 = FloatVector.zero(SPECIES);
    FloatVector sum3 = FloatVector.zero(SPECIES);
    FloatVector sum4 = FloatVector.zero(SPECIES);
    FloatVector sum5 = FloatVector.zero(SPECIES);
    FloatVector sum6 = FloatVector.zero(SPECIES);
    FloatVector sum7 = FloatVector.zero(SPECIES);
    for (int step = 0; step < left.steps; step++) {
      int at = first + step * stepStride;
      FloatVector factors = FloatVector.fromArray(SPECIES, panel, step * LANES + lane);
      sum0 = factors.fma(FloatVector.broadcast(SPECIES, values[at]), sum0);
      sum1 = factors.fma(FloatVector.broadcast(SPECIES, values[at + rowStride]), sum1);
      sum2 = factors.fma(FloatVector.broadcast(SPECIES, values[at + 2 * rowStride]), sum2);
      sum3 = factors.fma(FloatVector.broadcast(SPECIES, values[at + 3 * rowStride]), sum3);
      sum4 = factors.fma(FloatVector.broadcast(SPECIES, values[at + 4 * rowStride]), sum4);
      sum5 = factors.fma(FloatVector.broadcast(SPECIES, values[at + 5 * rowStride]), sum5);
      sum6 = factors.fma(FloatVector.broadcast(SPECIES, values[at + 6 * rowStride]), sum6);
      sum7 = factors.fma(FloatVector.broadcast(SPECIES, values[at + 7 * rowStride]), sum7);
    }
    float[] result = target.values;
    int to = row * LANES + lane;
    if (target.accumulates()) {
      FloatVector scale = FloatVector.fromArray(SPECIES, target.scale, lane);
      sum0 = FloatVector.fromArray(SPECIES, result, to).fma(scale, sum0);
      sum1 = FloatVector.fromArray(SPECIES, result, to + LANES).fma(scale, sum1);
      sum2 = FloatVector.fromArray(SPECIES, result, to + 2 * LANES).fma(scale, sum2);
      sum3 = FloatVector.fromArray(SPECIES, result, to + 3 * LANES).fma(scale, sum3);
      sum4 = FloatVector.fromArray(SPECIES, result, to + 4 * LANES).fma(scale, sum4);
      sum5 = FloatVector.fromArray(SPECIES, result, to + 5 * LANES).fma(scale, sum5);
      sum6 = FloatVector.fromArray(SPECIES, result, to + 6 * LANES).fma(scale, sum6);
      sum7 = FloatVector.fromArray(SPECIES, result, to + 7 * LANES).fma(scale, sum7);
    }
    sum0.intoArray(result, to);
    sum1.intoArray(result, to + LANES);
    sum2.intoArray(result, to + 2 * LANES);
    sum3.intoArray(result, to + 3 * LANES);
    sum4.intoArray(result, to + 4 * LANES);
    sum5.intoArray(result, to + 5 * LANES);
    sum6.intoArray(result, to + 6 * LANES);
    sum7.intoArray(result, to + 7 * LANES);
  }
}
