package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;

import dev.heddle.api.HeadMatrix;
import dev.heddle.kernels.MatrixProducts.Weight;
import java.util.ArrayList;
import java.util.List;

/**
 * Some outputs of a weight as float32 panels {@code [input][output lane]} in the heap, cut into
 * slices of {@link #SLICE} inputs, so that a slice and the activations that it meets stay in the
 * second-level cache.
 */
final class WeightPanels {
  /** Inputs of a slice: with 64 lanes 64 KiB. */
  static final int SLICE = 256;

  private final int slices;
  private final List<float[]> storage = new ArrayList<>();
  private int firstOutput;
  private int panels;
  private int inputs;
  private int outputs;

  WeightPanels(int slices) {
    this.slices = slices;
  }

  /**
   * Takes in panels {@code first} to {@code first + count - 1} of {@code weight}, {@link
   * PanelProduct#LANES} outputs each.
   */
  void pack(Weight weight, int first, int count, WorkerPool pool) {
    firstOutput = first * LANES;
    panels = count;
    inputs = weight.inputs();
    outputs = weight.outputs();
    while (storage.size() < panels * slices) {
      storage.add(new float[SLICE * LANES]);
    }
    pool.run(panels * slices, number -> packSlice(weight, number / slices, number % slices));
  }

  int slices() {
    return slices;
  }

  int panels() {
    return panels;
  }

  /** Numbers per row of the weight. */
  int inputs() {
    return inputs;
  }

  /** Rows of the whole weight. */
  int outputs() {
    return outputs;
  }

  /** The output in lane 0 of panel {@code panel}. */
  int firstOutput(int panel) {
    return firstOutput + panel * LANES;
  }

  /** Outputs in panel {@code panel}. */
  int lanes(int panel) {
    return Math.min(LANES, outputs - firstOutput(panel));
  }

  /** Inputs in slice {@code slice} of an activation or weight of {@code inputs} inputs. */
  static int inputsInSlice(int inputs, int slice) {
    return Math.min(SLICE, inputs - slice * SLICE);
  }

  /** {@code [input][output lane]} of one slice. */
  float[] slice(int panel, int slice) {
    return storage.get(panel * slices + slice);
  }

  private void packSlice(Weight weight, int panel, int slice) {
    int count = inputsInSlice(inputs, slice);
    int lanes = lanes(panel);
    float[] rows = new float[lanes * count];
    long offset = (long) firstOutput(panel) * inputs + (long) slice * SLICE;
    HeapRows.copy(
        new HeadMatrix(weight.memory(), weight.type(), offset, lanes, count, inputs),
        0,
        lanes,
        rows,
        0);
    float[] target = slice(panel, slice);
    for (int i = 0; i < count; i++) {
      for (int lane = 0; lane < lanes; lane++) {
        target[i * LANES + lane] = rows[lane * count + i];
      }
    }
  }
}
