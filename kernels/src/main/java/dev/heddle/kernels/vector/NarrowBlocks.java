package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;
import static dev.heddle.kernels.vector.PanelProduct.SPECIES;
import static dev.heddle.kernels.vector.PanelProduct.VECTOR;

import dev.heddle.kernels.vector.PanelProduct.Left;
import dev.heddle.kernels.vector.PanelProduct.Target;
import jdk.incubator.vector.FloatVector;

/** The blocks of {@link PanelProduct} that are one or two vectors wide; see {@link WideBlocks}. */
final class NarrowBlocks {
  private NarrowBlocks() {}

  /** Rows {@code row} to {@code row + 11}, two vectors from {@code lane}. */
  static void twelveByTwo(Left left, int row, float[] panel, int lane, Target target) {
    float[] values = left.values();
    int stepStride = left.stepStride();
    int row0 = row * left.rowStride();
    int row1 = row0 + left.rowStride();
    int row2 = row1 + left.rowStride();
    int row3 = row2 + left.rowStride();
    int row4 = row3 + left.rowStride();
    int row5 = row4 + left.rowStride();
    int row6 = row5 + left.rowStride();
    int row7 = row6 + left.rowStride();
    int row8 = row7 + left.rowStride();
    int row9 = row8 + left.rowStride();
    int row10 = row9 + left.rowStride();
    int row11 = row10 + left.rowStride();
    FloatVector suma0 = FloatVector.zero(SPECIES);
    FloatVector suma1 = FloatVector.zero(SPECIES);
    FloatVector sumb0 = FloatVector.zero(SPECIES);
    FloatVector sumb1 = FloatVector.zero(SPECIES);
    FloatVector sumc0 = FloatVector.zero(SPECIES);
    FloatVector sumc1 = FloatVector.zero(SPECIES);
    FloatVector sumd0 = FloatVector.zero(SPECIES);
    FloatVector sumd1 = FloatVector.zero(SPECIES);
    FloatVector sume0 = FloatVector.zero(SPECIES);
    FloatVector sume1 = FloatVector.zero(SPECIES);
    FloatVector sumf0 = FloatVector.zero(SPECIES);
    FloatVector sumf1 = FloatVector.zero(SPECIES);
    FloatVector sumg0 = FloatVector.zero(SPECIES);
    FloatVector sumg1 = FloatVector.zero(SPECIES);
    FloatVector sumh0 = FloatVector.zero(SPECIES);
    FloatVector sumh1 = FloatVector.zero(SPECIES);
    FloatVector sumi0 = FloatVector.zero(SPECIES);
    FloatVector sumi1 = FloatVector.zero(SPECIES);
    FloatVector sumj0 = FloatVector.zero(SPECIES);
    FloatVector sumj1 = FloatVector.zero(SPECIES);
    FloatVector sumk0 = FloatVector.zero(SPECIES);
    FloatVector sumk1 = FloatVector.zero(SPECIES);
    FloatVector suml0 = FloatVector.zero(SPECIES);
    FloatVector suml1 = FloatVector.zero(SPECIES);
    for (int step = 0; step < left.steps(); step++) {
      int from = step * LANES + lane;
      int at = step * stepStride;
      FloatVector panel0 = FloatVector.fromArray(SPECIES, panel, from);
      FloatVector panel1 = FloatVector.fromArray(SPECIES, panel, from + VECTOR);
      FloatVector factor = FloatVector.broadcast(SPECIES, values[row0 + at]);
      suma0 = factor.fma(panel0, suma0);
      suma1 = factor.fma(panel1, suma1);
      factor = FloatVector.broadcast(SPECIES, values[row1 + at]);
      sumb0 = factor.fma(panel0, sumb0);
      sumb1 = factor.fma(panel1, sumb1);
      factor = FloatVector.broadcast(SPECIES, values[row2 + at]);
      sumc0 = factor.fma(panel0, sumc0);
      sumc1 = factor.fma(panel1, sumc1);
      factor = FloatVector.broadcast(SPECIES, values[row3 + at]);
      sumd0 = factor.fma(panel0, sumd0);
      sumd1 = factor.fma(panel1, sumd1);
      factor = FloatVector.broadcast(SPECIES, values[row4 + at]);
      sume0 = factor.fma(panel0, sume0);
      sume1 = factor.fma(panel1, sume1);
      factor = FloatVector.broadcast(SPECIES, values[row5 + at]);
      sumf0 = factor.fma(panel0, sumf0);
      sumf1 = factor.fma(panel1, sumf1);
      factor = FloatVector.broadcast(SPECIES, values[row6 + at]);
      sumg0 = factor.fma(panel0, sumg0);
      sumg1 = factor.fma(panel1, sumg1);
      factor = FloatVector.broadcast(SPECIES, values[row7 + at]);
      sumh0 = factor.fma(panel0, sumh0);
      sumh1 = factor.fma(panel1, sumh1);
      factor = FloatVector.broadcast(SPECIES, values[row8 + at]);
      sumi0 = factor.fma(panel0, sumi0);
      sumi1 = factor.fma(panel1, sumi1);
      factor = FloatVector.broadcast(SPECIES, values[row9 + at]);
      sumj0 = factor.fma(panel0, sumj0);
      sumj1 = factor.fma(panel1, sumj1);
      factor = FloatVector.broadcast(SPECIES, values[row10 + at]);
      sumk0 = factor.fma(panel0, sumk0);
      sumk1 = factor.fma(panel1, sumk1);
      factor = FloatVector.broadcast(SPECIES, values[row11 + at]);
      suml0 = factor.fma(panel0, suml0);
      suml1 = factor.fma(panel1, suml1);
    }
    float[] result = target.values();
    int to = row * LANES + lane;
    if (target.accumulates()) {
      FloatVector scale0 = FloatVector.fromArray(SPECIES, target.scale(), lane);
      FloatVector scale1 = FloatVector.fromArray(SPECIES, target.scale(), lane + VECTOR);
      suma0 = FloatVector.fromArray(SPECIES, result, to).fma(scale0, suma0);
      suma1 = FloatVector.fromArray(SPECIES, result, to + VECTOR).fma(scale1, suma1);
      sumb0 = FloatVector.fromArray(SPECIES, result, to + LANES).fma(scale0, sumb0);
      sumb1 = FloatVector.fromArray(SPECIES, result, to + LANES + VECTOR).fma(scale1, sumb1);
      sumc0 = FloatVector.fromArray(SPECIES, result, to + 2 * LANES).fma(scale0, sumc0);
      sumc1 = FloatVector.fromArray(SPECIES, result, to + 2 * LANES + VECTOR).fma(scale1, sumc1);
      sumd0 = FloatVector.fromArray(SPECIES, result, to + 3 * LANES).fma(scale0, sumd0);
      sumd1 = FloatVector.fromArray(SPECIES, result, to + 3 * LANES + VECTOR).fma(scale1, sumd1);
      sume0 = FloatVector.fromArray(SPECIES, result, to + 4 * LANES).fma(scale0, sume0);
      sume1 = FloatVector.fromArray(SPECIES, result, to + 4 * LANES + VECTOR).fma(scale1, sume1);
      sumf0 = FloatVector.fromArray(SPECIES, result, to + 5 * LANES).fma(scale0, sumf0);
      sumf1 = FloatVector.fromArray(SPECIES, result, to + 5 * LANES + VECTOR).fma(scale1, sumf1);
      sumg0 = FloatVector.fromArray(SPECIES, result, to + 6 * LANES).fma(scale0, sumg0);
      sumg1 = FloatVector.fromArray(SPECIES, result, to + 6 * LANES + VECTOR).fma(scale1, sumg1);
      sumh0 = FloatVector.fromArray(SPECIES, result, to + 7 * LANES).fma(scale0, sumh0);
      sumh1 = FloatVector.fromArray(SPECIES, result, to + 7 * LANES + VECTOR).fma(scale1, sumh1);
      sumi0 = FloatVector.fromArray(SPECIES, result, to + 8 * LANES).fma(scale0, sumi0);
      sumi1 = FloatVector.fromArray(SPECIES, result, to + 8 * LANES + VECTOR).fma(scale1, sumi1);
      sumj0 = FloatVector.fromArray(SPECIES, result, to + 9 * LANES).fma(scale0, sumj0);
      sumj1 = FloatVector.fromArray(SPECIES, result, to + 9 * LANES + VECTOR).fma(scale1, sumj1);
      sumk0 = FloatVector.fromArray(SPECIES, result, to + 10 * LANES).fma(scale0, sumk0);
      sumk1 = FloatVector.fromArray(SPECIES, result, to + 10 * LANES + VECTOR).fma(scale1, sumk1);
      suml0 = FloatVector.fromArray(SPECIES, result, to + 11 * LANES).fma(scale0, suml0);
      suml1 = FloatVector.fromArray(SPECIES, result, to + 11 * LANES + VECTOR).fma(scale1, suml1);
    }
    suma0.intoArray(result, to);
    suma1.intoArray(result, to + VECTOR);
    sumb0.intoArray(result, to + LANES);
    sumb1.intoArray(result, to + LANES + VECTOR);
    sumc0.intoArray(result, to + 2 * LANES);
    sumc1.intoArray(result, to + 2 * LANES + VECTOR);
    sumd0.intoArray(result, to + 3 * LANES);
    sumd1.intoArray(result, to + 3 * LANES + VECTOR);
    sume0.intoArray(result, to + 4 * LANES);
    sume1.intoArray(result, to + 4 * LANES + VECTOR);
    sumf0.intoArray(result, to + 5 * LANES);
    sumf1.intoArray(result, to + 5 * LANES + VECTOR);
    sumg0.intoArray(result, to + 6 * LANES);
    sumg1.intoArray(result, to + 6 * LANES + VECTOR);
    sumh0.intoArray(result, to + 7 * LANES);
    sumh1.intoArray(result, to + 7 * LANES + VECTOR);
    sumi0.intoArray(result, to + 8 * LANES);
    sumi1.intoArray(result, to + 8 * LANES + VECTOR);
    sumj0.intoArray(result, to + 9 * LANES);
    sumj1.intoArray(result, to + 9 * LANES + VECTOR);
    sumk0.intoArray(result, to + 10 * LANES);
    sumk1.intoArray(result, to + 10 * LANES + VECTOR);
    suml0.intoArray(result, to + 11 * LANES);
    suml1.intoArray(result, to + 11 * LANES + VECTOR);
  }

  /** Rows {@code row} to {@code row + 7}, two vectors from {@code lane}. */
  static void eightByTwo(Left left, int row, float[] panel, int lane, Target target) {
    float[] values = left.values();
    int stepStride = left.stepStride();
    int row0 = row * left.rowStride();
    int row1 = row0 + left.rowStride();
    int row2 = row1 + left.rowStride();
    int row3 = row2 + left.rowStride();
    int row4 = row3 + left.rowStride();
    int row5 = row4 + left.rowStride();
    int row6 = row5 + left.rowStride();
    int row7 = row6 + left.rowStride();
    FloatVector suma0 = FloatVector.zero(SPECIES);
    FloatVector suma1 = FloatVector.zero(SPECIES);
    FloatVector sumb0 = FloatVector.zero(SPECIES);
    FloatVector sumb1 = FloatVector.zero(SPECIES);
    FloatVector sumc0 = FloatVector.zero(SPECIES);
    FloatVector sumc1 = FloatVector.zero(SPECIES);
    FloatVector sumd0 = FloatVector.zero(SPECIES);
    FloatVector sumd1 = FloatVector.zero(SPECIES);
    FloatVector sume0 = FloatVector.zero(SPECIES);
    FloatVector sume1 = FloatVector.zero(SPECIES);
    FloatVector sumf0 = FloatVector.zero(SPECIES);
    FloatVector sumf1 = FloatVector.zero(SPECIES);
    FloatVector sumg0 = FloatVector.zero(SPECIES);
    FloatVector sumg1 = FloatVector.zero(SPECIES);
    FloatVector sumh0 = FloatVector.zero(SPECIES);
    FloatVector sumh1 = FloatVector.zero(SPECIES);
    for (int step = 0; step < left.steps(); step++) {
      int from = step * LANES + lane;
      int at = step * stepStride;
      FloatVector panel0 = FloatVector.fromArray(SPECIES, panel, from);
      FloatVector panel1 = FloatVector.fromArray(SPECIES, panel, from + VECTOR);
      FloatVector factor = FloatVector.broadcast(SPECIES, values[row0 + at]);
      suma0 = factor.fma(panel0, suma0);
      suma1 = factor.fma(panel1, suma1);
      factor = FloatVector.broadcast(SPECIES, values[row1 + at]);
      sumb0 = factor.fma(panel0, sumb0);
      sumb1 = factor.fma(panel1, sumb1);
      factor = FloatVector.broadcast(SPECIES, values[row2 + at]);
      sumc0 = factor.fma(panel0, sumc0);
      sumc1 = factor.fma(panel1, sumc1);
      factor = FloatVector.broadcast(SPECIES, values[row3 + at]);
      sumd0 = factor.fma(panel0, sumd0);
      sumd1 = factor.fma(panel1, sumd1);
      factor = FloatVector.broadcast(SPECIES, values[row4 + at]);
      sume0 = factor.fma(panel0, sume0);
      sume1 = factor.fma(panel1, sume1);
      factor = FloatVector.broadcast(SPECIES, values[row5 + at]);
      sumf0 = factor.fma(panel0, sumf0);
      sumf1 = factor.fma(panel1, sumf1);
      factor = FloatVector.broadcast(SPECIES, values[row6 + at]);
      sumg0 = factor.fma(panel0, sumg0);
      sumg1 = factor.fma(panel1, sumg1);
      factor = FloatVector.broadcast(SPECIES, values[row7 + at]);
      sumh0 = factor.fma(panel0, sumh0);
      sumh1 = factor.fma(panel1, sumh1);
    }
    float[] result = target.values();
    int to = row * LANES + lane;
    if (target.accumulates()) {
      FloatVector scale0 = FloatVector.fromArray(SPECIES, target.scale(), lane);
      FloatVector scale1 = FloatVector.fromArray(SPECIES, target.scale(), lane + VECTOR);
      suma0 = FloatVector.fromArray(SPECIES, result, to).fma(scale0, suma0);
      suma1 = FloatVector.fromArray(SPECIES, result, to + VECTOR).fma(scale1, suma1);
      sumb0 = FloatVector.fromArray(SPECIES, result, to + LANES).fma(scale0, sumb0);
      sumb1 = FloatVector.fromArray(SPECIES, result, to + LANES + VECTOR).fma(scale1, sumb1);
      sumc0 = FloatVector.fromArray(SPECIES, result, to + 2 * LANES).fma(scale0, sumc0);
      sumc1 = FloatVector.fromArray(SPECIES, result, to + 2 * LANES + VECTOR).fma(scale1, sumc1);
      sumd0 = FloatVector.fromArray(SPECIES, result, to + 3 * LANES).fma(scale0, sumd0);
      sumd1 = FloatVector.fromArray(SPECIES, result, to + 3 * LANES + VECTOR).fma(scale1, sumd1);
      sume0 = FloatVector.fromArray(SPECIES, result, to + 4 * LANES).fma(scale0, sume0);
      sume1 = FloatVector.fromArray(SPECIES, result, to + 4 * LANES + VECTOR).fma(scale1, sume1);
      sumf0 = FloatVector.fromArray(SPECIES, result, to + 5 * LANES).fma(scale0, sumf0);
      sumf1 = FloatVector.fromArray(SPECIES, result, to + 5 * LANES + VECTOR).fma(scale1, sumf1);
      sumg0 = FloatVector.fromArray(SPECIES, result, to + 6 * LANES).fma(scale0, sumg0);
      sumg1 = FloatVector.fromArray(SPECIES, result, to + 6 * LANES + VECTOR).fma(scale1, sumg1);
      sumh0 = FloatVector.fromArray(SPECIES, result, to + 7 * LANES).fma(scale0, sumh0);
      sumh1 = FloatVector.fromArray(SPECIES, result, to + 7 * LANES + VECTOR).fma(scale1, sumh1);
    }
    suma0.intoArray(result, to);
    suma1.intoArray(result, to + VECTOR);
    sumb0.intoArray(result, to + LANES);
    sumb1.intoArray(result, to + LANES + VECTOR);
    sumc0.intoArray(result, to + 2 * LANES);
    sumc1.intoArray(result, to + 2 * LANES + VECTOR);
    sumd0.intoArray(result, to + 3 * LANES);
    sumd1.intoArray(result, to + 3 * LANES + VECTOR);
    sume0.intoArray(result, to + 4 * LANES);
    sume1.intoArray(result, to + 4 * LANES + VECTOR);
    sumf0.intoArray(result, to + 5 * LANES);
    sumf1.intoArray(result, to + 5 * LANES + VECTOR);
    sumg0.intoArray(result, to + 6 * LANES);
    sumg1.intoArray(result, to + 6 * LANES + VECTOR);
    sumh0.intoArray(result, to + 7 * LANES);
    sumh1.intoArray(result, to + 7 * LANES + VECTOR);
  }

  /** Rows {@code row} to {@code row + 7}, one vector from {@code lane}. */
  static void eightByOne(Left left, int row, float[] panel, int lane, Target target) {
    float[] values = left.values();
    int stepStride = left.stepStride();
    int row0 = row * left.rowStride();
    int row1 = row0 + left.rowStride();
    int row2 = row1 + left.rowStride();
    int row3 = row2 + left.rowStride();
    int row4 = row3 + left.rowStride();
    int row5 = row4 + left.rowStride();
    int row6 = row5 + left.rowStride();
    int row7 = row6 + left.rowStride();
    FloatVector suma = FloatVector.zero(SPECIES);
    FloatVector sumb = FloatVector.zero(SPECIES);
    FloatVector sumc = FloatVector.zero(SPECIES);
    FloatVector sumd = FloatVector.zero(SPECIES);
    FloatVector sume = FloatVector.zero(SPECIES);
    FloatVector sumf = FloatVector.zero(SPECIES);
    FloatVector sumg = FloatVector.zero(SPECIES);
    FloatVector sumh = FloatVector.zero(SPECIES);
    for (int step = 0; step < left.steps(); step++) {
      int from = step * LANES + lane;
      int at = step * stepStride;
      FloatVector panel0 = FloatVector.fromArray(SPECIES, panel, from);
      FloatVector factor = FloatVector.broadcast(SPECIES, values[row0 + at]);
      suma = factor.fma(panel0, suma);
      factor = FloatVector.broadcast(SPECIES, values[row1 + at]);
      sumb = factor.fma(panel0, sumb);
      factor = FloatVector.broadcast(SPECIES, values[row2 + at]);
      sumc = factor.fma(panel0, sumc);
      factor = FloatVector.broadcast(SPECIES, values[row3 + at]);
      sumd = factor.fma(panel0, sumd);
      factor = FloatVector.broadcast(SPECIES, values[row4 + at]);
      sume = factor.fma(panel0, sume);
      factor = FloatVector.broadcast(SPECIES, values[row5 + at]);
      sumf = factor.fma(panel0, sumf);
      factor = FloatVector.broadcast(SPECIES, values[row6 + at]);
      sumg = factor.fma(panel0, sumg);
      factor = FloatVector.broadcast(SPECIES, values[row7 + at]);
      sumh = factor.fma(panel0, sumh);
    }
    float[] result = target.values();
    int to = row * LANES + lane;
    if (target.accumulates()) {
      FloatVector scale0 = FloatVector.fromArray(SPECIES, target.scale(), lane);
      suma = FloatVector.fromArray(SPECIES, result, to).fma(scale0, suma);
      sumb = FloatVector.fromArray(SPECIES, result, to + LANES).fma(scale0, sumb);
      sumc = FloatVector.fromArray(SPECIES, result, to + 2 * LANES).fma(scale0, sumc);
      sumd = FloatVector.fromArray(SPECIES, result, to + 3 * LANES).fma(scale0, sumd);
      sume = FloatVector.fromArray(SPECIES, result, to + 4 * LANES).fma(scale0, sume);
      sumf = FloatVector.fromArray(SPECIES, result, to + 5 * LANES).fma(scale0, sumf);
      sumg = FloatVector.fromArray(SPECIES, result, to + 6 * LANES).fma(scale0, sumg);
      sumh = FloatVector.fromArray(SPECIES, result, to + 7 * LANES).fma(scale0, sumh);
    }
    suma.intoArray(result, to);
    sumb.intoArray(result, to + LANES);
    sumc.intoArray(result, to + 2 * LANES);
    sumd.intoArray(result, to + 3 * LANES);
    sume.intoArray(result, to + 4 * LANES);
    sumf.intoArray(result, to + 5 * LANES);
    sumg.intoArray(result, to + 6 * LANES);
    sumh.intoArray(result, to + 7 * LANES);
  }
}
