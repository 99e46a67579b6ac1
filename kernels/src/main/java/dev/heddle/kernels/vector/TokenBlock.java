package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;
import static dev.heddle.kernels.vector.WeightPanels.SLICE;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.vector.PanelProduct.Left;
import dev.heddle.kernels.vector.PanelProduct.Target;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The activations of up to {@link #TOKENS} tokens in the heap, and what a task makes of them. */
final class TokenBlock {
  static final int TOKENS = 64;

  private static final float[] ADD = ones();

  private final float[][] activations;
  private final float[] result = new float[TOKENS * LANES];
  private int firstToken;
  private int count;
  private int inputs;

  TokenBlock(int slices) {
    this.activations = new float[slices][TOKENS * SLICE];
  }

  int slices() {
    return activations.length;
  }

  /** Takes in the tokens from {@code firstToken} on, of {@code tokens} in {@code in}. */
  void load(MemorySegment in, int firstToken, int tokens, int inputs) {
    this.firstToken = firstToken;
    this.count = Math.min(TOKENS, tokens - firstToken);
    this.inputs = inputs;
    for (int slice = 0; slice < slices(); slice++) {
      int length = WeightPanels.inputsInSlice(inputs, slice);
      for (int i = 0; i < count; i++) {
        long from = (long) (firstToken + i) * inputs + (long) slice * SLICE;
        ElementType.FLOAT32.load(in, from, activations[slice], i * length, length);
      }
    }
  }

  /** Multiplies the tokens with one panel and writes their outputs of that panel. */
  void multiply(WeightPanels weight, int panel, MemorySegment out) {
    int lanes = weight.lanes(panel);
    int rows = Math.ceilDiv(count, PanelProduct.ROW_STEP) * PanelProduct.ROW_STEP;
    for (int slice = 0; slice < slices(); slice++) {
      int length = WeightPanels.inputsInSlice(inputs, slice);
      PanelProduct.multiply(
          new Left(activations[slice], rows, length, length, 1),
          weight.slice(panel, slice),
          LaneRange.first(lanes),
          slice == 0 ? Target.overwrite(result) : new Target(result, ADD));
    }
    for (int i = 0; i < count; i++) {
      long at = (long) (firstToken + i) * weight.outputs() + weight.firstOutput(panel);
      ElementType.FLOAT32.store(result, i * LANES, out, at, lanes);
    }
  }

  private static float[] ones() {
    float[] ones = new float[LANES];
    Arrays.fill(ones, 1);
    return ones;
  }
}
