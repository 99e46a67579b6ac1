package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.SPECIES;
import static dev.heddle.kernels.vector.PanelProduct.VECTOR;

import dev.heddle.api.HeadMatrix;
import dev.heddle.kernels.vector.PanelProduct.Left;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * The rows of K and V of up to {@link #KEYS} keys, from anywhere in the sequence, as float32 {@code
 * [key][dim]} in the heap. Copied once, they serve all panels of a query block; and single columns
 * cost what blocks cost.
 */
final class KeyTile {
  /** Keys of a full tile. */
  static final int KEYS = 96;

  private final int headDim;
  private final float[] keyRows;
  private final float[] valueRows;
  private final int[] positions = new int[KEYS];
  private int count;
  private int greatestPosition;
  private boolean finitenessKnown;
  private boolean finite;

  KeyTile(int headDim) {
    this.headDim = headDim;
    this.keyRows = new float[KEYS * headDim];
    this.valueRows = new float[KEYS * headDim];
  }

  /** Takes the next keys of {@code runs}, as many as there is room for. */
  void fill(KeyRuns runs, HeadMatrix keys, HeadMatrix values) {
    count = 0;
    greatestPosition = -1;
    finitenessKnown = false;
    while (count < KEYS && runs.hasNext()) {
      int length = Math.min(runs.length(), KEYS - count);
      addPositions(runs.key(), length);
      runs.advance(length);
    }
    HeapRows.gather(keys, positions, count, keyRows);
    HeapRows.gather(values, positions, count, valueRows);
    // What the rows past the last key hold must be finite: their weights are 0.
    Arrays.fill(valueRows, count * headDim, padded(count) * headDim, 0);
  }

  /** Keys in the tile without those at its end that stand behind {@code position}. */
  int countUpTo(int position) {
    int visible = count;
    while (visible > 0 && positions[visible - 1] > position) {
      visible--;
    }
    return visible;
  }

  /** {@code keys} rounded up to the row step of products; the rows past the last key are finite. */
  static int padded(int keys) {
    return Math.ceilDiv(keys, PanelProduct.ROW_STEP) * PanelProduct.ROW_STEP;
  }

  /** Position in the sequence of key {@code i} of the tile. */
  int position(int i) {
    return positions[i];
  }

  /** The last of the tile's keys in the sequence. */
  int greatestPosition() {
    return greatestPosition;
  }

  /** The number at place {@code dim} of V of key {@code i} of the tile. */
  float value(int i, int dim) {
    return valueRows[i * headDim + dim];
  }

  /**
   * K of the first {@code keys} keys as the left matrix of {@code scores[key][lane] = Σ_dim
   * K[key][dim] Q[dim][lane]}.
   */
  Left keysByDim(int keys) {
    return new Left(keyRows, padded(keys), headDim, headDim, 1);
  }

  /**
   * V of the first {@code keys} keys as the left matrix of {@code out[dim][lane] = Σ_key
   * V[key][dim] weight[key][lane]}.
   */
  Left valuesByKey(int keys) {
    return new Left(valueRows, headDim, 1, padded(keys), headDim);
  }

  /** Whether V holds no infinity and no NaN; looked at once, since all panels ask. */
  boolean valuesAreFinite() {
    if (!finitenessKnown) {
      finite = valuesTimesZeroAreZero();
      finitenessKnown = true;
    }
    return finite;
  }

  private boolean valuesTimesZeroAreZero() {
    FloatVector zeros = FloatVector.zero(SPECIES);
    for (int i = 0; i < count * headDim; i += VECTOR) {
      zeros = FloatVector.fromArray(SPECIES, valueRows, i).fma(FloatVector.zero(SPECIES), zeros);
    }
    return zeros.eq(0f).allTrue();
  }

  private void addPositions(int first, int length) {
    for (int i = 0; i < length; i++) {
      positions[count + i] = first + i;
    }
    count += length;
    greatestPosition = Math.max(greatestPosition, first + length - 1);
  }
}
