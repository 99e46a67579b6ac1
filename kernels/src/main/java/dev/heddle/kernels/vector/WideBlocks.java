package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;
import static dev.heddle.kernels.vector.PanelProduct.SPECIES;
import static dev.heddle.kernels.vector.PanelProduct.VECTOR;

import dev.heddle.kernels.vector.PanelProduct.Left;
import dev.heddle.kernels.vector.PanelProduct.Target;
import jdk.incubator.vector.FloatVector;

/**
 * The blocks of {@link PanelProduct} that are four vectors wide. All are written out because
 * vectors that are passed to a method with many arguments, or taken from a constant, are boxed, at
 * a tenth of the speed.
 */
final class WideBlocks {
  private WideBlocks() {}

  /** Rows {@code row} to {@code row + 5}, four vectors from {@code lane}. */
  static void sixByFour(Left left, int row, float[] panel, int lane, Target target) {
    float[] values = left.values();
    int stepStride = left.stepStride();
    int row0 = row * left.rowStride();
    int row1 = row0 + left.rowStride();
    int row2 = row1 + left.rowStride();
    int row3 = row2 + left.rowStride();
    int row4 = row3 + left.rowStride();
    int row5 = row4 + left.rowStride();
    FloatVector suma0 = FloatVector.zero(SPECIES);
    FloatVector suma1 = FloatVector.zero(SPECIES);
    FloatVector suma2 = FloatVector.zero(SPECIES);
    FloatVector suma3 = FloatVector.zero(SPECIES);
    FloatVector sumb0 = FloatVector.zero(SPECIES);
    FloatVector sumb1 = FloatVector.zero(SPECIES);
    FloatVector sumb2 = FloatVector.zero(SPECIES);
    FloatVector sumb3 = FloatVector.zero(SPECIES);
    FloatVector sumc0 = FloatVector.zero(SPECIES);
    FloatVector sumc1 = FloatVector.zero(SPECIES);
    FloatVector sumc2 = FloatVector.zero(SPECIES);
    FloatVector sumc3 = FloatVector.zero(SPECIES);
    FloatVector sumd0 = FloatVector.zero(SPECIES);
    FloatVector sumd1 = FloatVector.zero(SPECIES);
    FloatVector sumd2 = FloatVector.zero(SPECIES);
    FloatVector sumd3 = FloatVector.zero(SPECIES);
    FloatVector sume0 = FloatVector.zero(SPECIES);
    FloatVector sume1 = FloatVector.zero(SPECIES);
    FloatVector sume2 = FloatVector.zero(SPECIES);
    FloatVector sume3 = FloatVector.zero(SPECIES);
    FloatVector sumf0 = FloatVector.zero(SPECIES);
    FloatVector sumf1 = FloatVector.zero(SPECIES);
    FloatVector sumf2 = FloatVector.zero(SPECIES);
    FloatVector sumf3 = FloatVector.zero(SPECIES);
    for (int step = 0; step < left.steps(); step++) {
      int from = step * LANES + lane;
      int at = step * stepStride;
      FloatVector panel0 = FloatVector.fromArray(SPECIES, panel, from);
      FloatVector panel1 = FloatVector.fromArray(SPECIES, panel, from + VECTOR);
      FloatVector panel2 = FloatVector.fromArray(SPECIES, panel, from + 2 * VECTOR);
      FloatVector panel3 = FloatVector.fromArray(SPECIES, panel, from + 3 * VECTOR);
      FloatVector factor = FloatVector.broadcast(SPECIES, values[row0 + at]);
      suma0 = factor.fma(panel0, suma0);
      suma1 = factor.fma(panel1, suma1);
      suma2 = factor.fma(panel2, suma2);
      suma3 = factor.fma(panel3, suma3);
      factor = FloatVector.broadcast(SPECIES, values[row1 + at]);
      sumb0 = factor.fma(panel0, sumb0);
      sumb1 = factor.fma(panel1, sumb1);
      sumb2 = factor.fma(panel2, sumb2);
      sumb3 = factor.fma(panel3, sumb3);
      factor = FloatVector.broadcast(SPECIES, values[row2 + at]);
      sumc0 = factor.fma(panel0, sumc0);
      sumc1 = factor.fma(panel1, sumc1);
      sumc2 = factor.fma(panel2, sumc2);
      sumc3 = factor.fma(panel3, sumc3);
      factor = FloatVector.broadcast(SPECIES, values[row3 + at]);
      sumd0 = factor.fma(panel0, sumd0);
      sumd1 = factor.fma(panel1, sumd1);
      sumd2 = factor.fma(panel2, sumd2);
      sumd3 = factor.fma(panel3, sumd3);
      factor = FloatVector.broadcast(SPECIES, values[row4 + at]);
      sume0 = factor.fma(panel0, sume0);
      sume1 = factor.fma(panel1, sume1);
      sume2 = factor.fma(panel2, sume2);
      sume3 = factor.fma(panel3, sume3);
      factor = FloatVector.broadcast(SPECIES, values[row5 + at]);
      sumf0 = factor.fma(panel0, sumf0);
      sumf1 = factor.fma(panel1, sumf1);
      sumf2 = factor.fma(panel2, sumf2);
      sumf3 = factor.fma(panel3, sumf3);
    }
    float[] result = target.values();
    int to = row * LANES + lane;
    if (target.accumulates()) {
      FloatVector scale0 = FloatVector.fromArray(SPECIES, target.scale(), lane);
      FloatVector scale1 = FloatVector.fromArray(SPECIES, target.scale(), lane + VECTOR);
      FloatVector scale2 = FloatVector.fromArray(SPECIES, target.scale(), lane + 2 * VECTOR);
      FloatVector scale3 = FloatVector.fromArray(SPECIES, target.scale(), lane + 3 * VECTOR);
      suma0 = FloatVector.fromArray(SPECIES, result, to).fma(scale0, suma0);
      suma1 = FloatVector.fromArray(SPECIES, result, to + VECTOR).fma(scale1, suma1);
      suma2 = FloatVector.fromArray(SPECIES, result, to + 2 * VECTOR).fma(scale2, suma2);
      suma3 = FloatVector.fromArray(SPECIES, result, to + 3 * VECTOR).fma(scale3, suma3);
      sumb0 = FloatVector.fromArray(SPECIES, result, to + LANES).fma(scale0, sumb0);
      sumb1 = FloatVector.fromArray(SPECIES, result, to + LANES + VECTOR).fma(scale1, sumb1);
      sumb2 = FloatVector.fromArray(SPECIES, result, to + LANES + 2 * VECTOR).fma(scale2, sumb2);
      sumb3 = FloatVector.fromArray(SPECIES, result, to + LANES + 3 * VECTOR).fma(scale3, sumb3);
      sumc0 = FloatVector.fromArray(SPECIES, result, to + 2 * LANES).fma(scale0, sumc0);
      sumc1 = FloatVector.fromArray(SPECIES, result, to + 2 * LANES + VECTOR).fma(scale1, sumc1);
      sumc2 =
          FloatVector.fromArray(SPECIES, result, to + 2 * LANES + 2 * VECTOR).fma(scale2, sumc2);
      sumc3 =
          FloatVector.fromArray(SPECIES, result, to + 2 * LANES + 3 * VECTOR).fma(scale3, sumc3);
      sumd0 = FloatVector.fromArray(SPECIES, result, to + 3 * LANES).fma(scale0, sumd0);
      sumd1 = FloatVector.fromArray(SPECIES, result, to + 3 * LANES + VECTOR).fma(scale1, sumd1);
      sumd2 =
          FloatVector.fromArray(SPECIES, result, to + 3 * LANES + 2 * VECTOR).fma(scale2, sumd2);
      sumd3 =
          FloatVector.fromArray(SPECIES, result, to + 3 * LANES + 3 * VECTOR).fma(scale3, sumd3);
      sume0 = FloatVector.fromArray(SPECIES, result, to + 4 * LANES).fma(scale0, sume0);
      sume1 = FloatVector.fromArray(SPECIES, result, to + 4 * LANES + VECTOR).fma(scale1, sume1);
      sume2 =
          FloatVector.fromArray(SPECIES, result, to + 4 * LANES + 2 * VECTOR).fma(scale2, sume2);
      sume3 =
          FloatVector.fromArray(SPECIES, result, to + 4 * LANES + 3 * VECTOR).fma(scale3, sume3);
      sumf0 = FloatVector.fromArray(SPECIES, result, to + 5 * LANES).fma(scale0, sumf0);
      sumf1 = FloatVector.fromArray(SPECIES, result, to + 5 * LANES + VECTOR).fma(scale1, sumf1);
      sumf2 =
          FloatVector.fromArray(SPECIES, result, to + 5 * LANES + 2 * VECTOR).fma(scale2, sumf2);
      sumf3 =
          FloatVector.fromArray(SPECIES, result, to + 5 * LANES + 3 * VECTOR).fma(scale3, sumf3);
    }
    suma0.intoArray(result, to);
    suma1.intoArray(result, to + VECTOR);
    suma2.intoArray(result, to + 2 * VECTOR);
    suma3.intoArray(result, to + 3 * VECTOR);
    sumb0.intoArray(result, to + LANES);
    sumb1.intoArray(result, to + LANES + VECTOR);
    sumb2.intoArray(result, to + LANES + 2 * VECTOR);
    sumb3.intoArray(result, to + LANES + 3 * VECTOR);
    sumc0.intoArray(result, to + 2 * LANES);
    sumc1.intoArray(result, to + 2 * LANES + VECTOR);
    sumc2.intoArray(result, to + 2 * LANES + 2 * VECTOR);
    sumc3.intoArray(result, to + 2 * LANES + 3 * VECTOR);
    sumd0.intoArray(result, to + 3 * LANES);
    sumd1.intoArray(result, to + 3 * LANES + VECTOR);
    sumd2.intoArray(result, to + 3 * LANES + 2 * VECTOR);
    sumd3.intoArray(result, to + 3 * LANES + 3 * VECTOR);
    sume0.intoArray(result, to + 4 * LANES);
    sume1.intoArray(result, to + 4 * LANES + VECTOR);
    sume2.intoArray(result, to + 4 * LANES + 2 * VECTOR);
    sume3.intoArray(result, to + 4 * LANES + 3 * VECTOR);
    sumf0.intoArray(result, to + 5 * LANES);
    sumf1.intoArray(result, to + 5 * LANES + VECTOR);
    sumf2.intoArray(result, to + 5 * LANES + 2 * VECTOR);
    sumf3.intoArray(result, to + 5 * LANES + 3 * VECTOR);
  }

  /** Rows {@code row} to {@code row + 3}, four vectors from {@code lane}. */
  static void fourByFour(Left left, int row, float[] panel, int lane, Target target) {
    float[] values = left.values();
    int stepStride = left.stepStride();
    int row0 = row * left.rowStride();
    int row1 = row0 + left.rowStride();
    int row2 = row1 + left.rowStride();
    int row3 = row2 + left.rowStride();
    FloatVector suma0 = FloatVector.zero(SPECIES);
    FloatVector suma1 = FloatVector.zero(SPECIES);
    FloatVector suma2 = FloatVector.zero(SPECIES);
    FloatVector suma3 = FloatVector.zero(SPECIES);
    FloatVector sumb0 = FloatVector.zero(SPECIES);
    FloatVector sumb1 = FloatVector.zero(SPECIES);
    FloatVector sumb2 = FloatVector.zero(SPECIES);
    FloatVector sumb3 = FloatVector.zero(SPECIES);
    FloatVector sumc0 = FloatVector.zero(SPECIES);
    FloatVector sumc1 = FloatVector.zero(SPECIES);
    FloatVector sumc2 = FloatVector.zero(SPECIES);
    FloatVector sumc3 = FloatVector.zero(SPECIES);
    FloatVector sumd0 = FloatVector.zero(SPECIES);
    FloatVector sumd1 = FloatVector.zero(SPECIES);
    FloatVector sumd2 = FloatVector.zero(SPECIES);
    FloatVector sumd3 = FloatVector.zero(SPECIES);
    for (int step = 0; step < left.steps(); step++) {
      int from = step * LANES + lane;
      int at = step * stepStride;
      FloatVector panel0 = FloatVector.fromArray(SPECIES, panel, from);
      FloatVector panel1 = FloatVector.fromArray(SPECIES, panel, from + VECTOR);
      FloatVector panel2 = FloatVector.fromArray(SPECIES, panel, from + 2 * VECTOR);
      FloatVector panel3 = FloatVector.fromArray(SPECIES, panel, from + 3 * VECTOR);
      FloatVector factor = FloatVector.broadcast(SPECIES, values[row0 + at]);
      suma0 = factor.fma(panel0, suma0);
      suma1 = factor.fma(panel1, suma1);
      suma2 = factor.fma(panel2, suma2);
      suma3 = factor.fma(panel3, suma3);
      factor = FloatVector.broadcast(SPECIES, values[row1 + at]);
      sumb0 = factor.fma(panel0, sumb0);
      sumb1 = factor.fma(panel1, sumb1);
      sumb2 = factor.fma(panel2, sumb2);
      sumb3 = factor.fma(panel3, sumb3);
      factor = FloatVector.broadcast(SPECIES, values[row2 + at]);
      sumc0 = factor.fma(panel0, sumc0);
      sumc1 = factor.fma(panel1, sumc1);
      sumc2 = factor.fma(panel2, sumc2);
      sumc3 = factor.fma(panel3, sumc3);
      factor = FloatVector.broadcast(SPECIES, values[row3 + at]);
      sumd0 = factor.fma(panel0, sumd0);
      sumd1 = factor.fma(panel1, sumd1);
      sumd2 = factor.fma(panel2, sumd2);
      sumd3 = factor.fma(panel3, sumd3);
    }
    float[] result = target.values();
    int to = row * LANES + lane;
    if (target.accumulates()) {
      FloatVector scale0 = FloatVector.fromArray(SPECIES, target.scale(), lane);
      FloatVector scale1 = FloatVector.fromArray(SPECIES, target.scale(), lane + VECTOR);
      FloatVector scale2 = FloatVector.fromArray(SPECIES, target.scale(), lane + 2 * VECTOR);
      FloatVector scale3 = FloatVector.fromArray(SPECIES, target.scale(), lane + 3 * VECTOR);
      suma0 = FloatVector.fromArray(SPECIES, result, to).fma(scale0, suma0);
      suma1 = FloatVector.fromArray(SPECIES, result, to + VECTOR).fma(scale1, suma1);
      suma2 = FloatVector.fromArray(SPECIES, result, to + 2 * VECTOR).fma(scale2, suma2);
      suma3 = FloatVector.fromArray(SPECIES, result, to + 3 * VECTOR).fma(scale3, suma3);
      sumb0 = FloatVector.fromArray(SPECIES, result, to + LANES).fma(scale0, sumb0);
      sumb1 = FloatVector.fromArray(SPECIES, result, to + LANES + VECTOR).fma(scale1, sumb1);
      sumb2 = FloatVector.fromArray(SPECIES, result, to + LANES + 2 * VECTOR).fma(scale2, sumb2);
      sumb3 = FloatVector.fromArray(SPECIES, result, to + LANES + 3 * VECTOR).fma(scale3, sumb3);
      sumc0 = FloatVector.fromArray(SPECIES, result, to + 2 * LANES).fma(scale0, sumc0);
      sumc1 = FloatVector.fromArray(SPECIES, result, to + 2 * LANES + VECTOR).fma(scale1, sumc1);
      sumc2 =
          FloatVector.fromArray(SPECIES, result, to + 2 * LANES + 2 * VECTOR).fma(scale2, sumc2);
      sumc3 =
          FloatVector.fromArray(SPECIES, result, to + 2 * LANES + 3 * VECTOR).fma(scale3, sumc3);
      sumd0 = FloatVector.fromArray(SPECIES, result, to + 3 * LANES).fma(scale0, sumd0);
      sumd1 = FloatVector.fromArray(SPECIES, result, to + 3 * LANES + VECTOR).fma(scale1, sumd1);
      sumd2 =
          FloatVector.fromArray(SPECIES, result, to + 3 * LANES + 2 * VECTOR).fma(scale2, sumd2);
      sumd3 =
          FloatVector.fromArray(SPECIES, result, to + 3 * LANES + 3 * VECTOR).fma(scale3, sumd3);
    }
    suma0.intoArray(result, to);
    suma1.intoArray(result, to + VECTOR);
    suma2.intoArray(result, to + 2 * VECTOR);
    suma3.intoArray(result, to + 3 * VECTOR);
    sumb0.intoArray(result, to + LANES);
    sumb1.intoArray(result, to + LANES + VECTOR);
    sumb2.intoArray(result, to + LANES + 2 * VECTOR);
    sumb3.intoArray(result, to + LANES + 3 * VECTOR);
    sumc0.intoArray(result, to + 2 * LANES);
    sumc1.intoArray(result, to + 2 * LANES + VECTOR);
    sumc2.intoArray(result, to + 2 * LANES + 2 * VECTOR);
    sumc3.intoArray(result, to + 2 * LANES + 3 * VECTOR);
    sumd0.intoArray(result, to + 3 * LANES);
    sumd1.intoArray(result, to + 3 * LANES + VECTOR);
    sumd2.intoArray(result, to + 3 * LANES + 2 * VECTOR);
    sumd3.intoArray(result, to + 3 * LANES + 3 * VECTOR);
  }
}
