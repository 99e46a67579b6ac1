package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.vector.PanelProduct.Target;
import java.util.Arrays;

/**
 * Up to {@link PanelProduct#LANES} queries and their attention so far, transposed: a lane is a
 * query, so that all work on a tile of keys is vertical. Per tile, with the names of {@link
 * OnlineSoftmax}:
 *
 * <pre>
 *     s[key][lane]   = Σ_dim K[key][dim] q[dim][lane]           q is scaled by softmaxScale · log2 e
 *     out[dim][lane] = alpha[lane] out[dim][lane] + Σ_key V[key][dim] p[key][lane]
 * </pre>
 */
final class QueryPanel {
  /** Lanes that are taken together on the diagonal. */
  private static final int HALF = LANES / 2;

  private static final double LOG2_E = 1 / Math.log(2);

  private final int headDim;
  private final float[] queries;
  private final float[] out;
  private final float[] rows;
  private final float[] scale;
  private final Transposition transposition = new Transposition();
  private final OnlineSoftmax softmax = new OnlineSoftmax();
  private QueryRange range = new QueryRange(0, 1, 0, 1);
  private int firstPosition;

  QueryPanel(int headDim) {
    this.headDim = headDim;
    this.queries = new float[headDim * LANES];
    this.out = new float[headDim * LANES];
    this.rows = new float[LANES * headDim];
    this.scale = new float[headDim];
  }

  /** Takes in the queries of {@code range}, which fit the lanes, and forgets all else. */
  void load(AttentionCall call, QueryRange range) {
    this.range = range;
    firstPosition = call.shape().firstQueryPosition() + range.firstQuery();
    Arrays.fill(out, 0);
    softmax.clear();
    int together = neighbouringRows();
    for (int lane = 0; lane < range.lanes(); lane += together) {
      HeadMatrix source = call.queries().head(range.head(lane));
      HeapRows.copy(source, range.query(lane), together, rows, lane * headDim);
    }
    Arrays.fill(rows, range.lanes() * headDim, rows.length, 0);
    Arrays.fill(scale, (float) (call.softmaxScale() * LOG2_E));
    transposition.transpose(rows, scale, headDim, queries);
  }

  /**
   * Attends to the tile's keys that stand at or before each query.
   *
   * @param scores scratch, {@code [KeyTile.KEYS][LANES]}
   */
  void attend(KeyTile tile, float[] scores) {
    int end = PanelProduct.wholeVectors(range.lanes());
    if (end > HALF && tile.greatestPosition() > firstPosition) {
      // On the diagonal the first half of the queries sees fewer keys.
      attend(tile, new LaneRange(0, HALF), scores);
      attend(tile, new LaneRange(HALF, end), scores);
    } else {
      attend(tile, new LaneRange(0, end), scores);
    }
  }

  private void attend(KeyTile tile, LaneRange lanes, float[] scores) {
    int lastLane = Math.min(lanes.end(), range.lanes()) - 1;
    int keys = tile.countUpTo(firstPosition + lastLane / range.heads());
    if (keys == 0) {
      return;
    }
    int rows = KeyTile.padded(keys);
    PanelProduct.multiply(tile.keysByDim(keys), queries, lanes, Target.overwrite(scores));
    boolean masked = tile.greatestPosition() > firstPosition;
    if (masked) {
      for (int key = 0; key < keys; key++) {
        int from = key * LANES;
        Arrays.fill(scores, from, from + hiddenLanes(tile, key), Float.NEGATIVE_INFINITY);
      }
    }
    Arrays.fill(scores, keys * LANES, rows * LANES, Float.NEGATIVE_INFINITY);
    softmax.update(scores, rows, lanes);
    if (masked && !tile.valuesAreFinite()) {
      addVisible(tile, keys, lanes, scores);
    } else {
      Target target = new Target(out, softmax.alpha());
      PanelProduct.multiply(tile.valuesByKey(keys), scores, lanes, target);
    }
  }

  /** Adds in what {@code other}, the same queries, has of other keys. */
  void merge(QueryPanel other) {
    softmax.merge(other.softmax);
    float[] own = softmax.alpha();
    float[] others = other.softmax.alpha();
    for (int i = 0; i < out.length; i++) {
      out[i] = own[i % LANES] * out[i] + others[i % LANES] * other.out[i];
    }
  }

  /** Writes the output, and the log-sum-exp if it is wanted. */
  void write(AttentionCall call) {
    transposition.transpose(out, softmax.shares(), LANES, rows);
    int together = neighbouringRows();
    for (int lane = 0; lane < range.lanes(); lane += together) {
      HeadMatrix target = call.out().head(range.head(lane));
      HeapRows.store(rows, lane * headDim, target, range.query(lane), together);
    }
    if (call.wantsLogSumExp()) {
      writeLogSumExp(call);
    }
  }

  /** Lanes, one after the other, that are neighbouring rows of one head. */
  private int neighbouringRows() {
    return range.heads() == 1 ? range.queries() : 1;
  }

  private void writeLogSumExp(AttentionCall call) {
    for (int lane = 0; lane < range.lanes(); lane++) {
      long at = (long) range.head(lane) * call.shape().queryTokens() + range.query(lane);
      ElementType.FLOAT32.store(call.logSumExp(), at, softmax.logSumExp(lane));
    }
  }

  /** Lanes, the first ones, whose queries stand before key {@code key} of the tile. */
  private int hiddenLanes(KeyTile tile, int key) {
    long hiddenQueries = (long) tile.position(key) - firstPosition;
    return Math.clamp(hiddenQueries * range.heads(), 0, LANES);
  }

  /**
   * The product of weights and values for each query's own keys alone. Where V holds infinities or
   * NaN, a weight of 0 for a key that is hidden would still make NaN of them. Rare, and slow.
   */
  private void addVisible(KeyTile tile, int keys, LaneRange lanes, float[] weights) {
    float[] alpha = softmax.alpha();
    for (int dim = 0; dim < headDim; dim++) {
      for (int lane = lanes.from(); lane < lanes.end(); lane++) {
        out[dim * LANES + lane] *= alpha[lane];
      }
      for (int key = 0; key < keys; key++) {
        float value = tile.value(key, dim);
        int first = Math.max(lanes.from(), hiddenLanes(tile, key));
        for (int lane = first; lane < lanes.end(); lane++) {
          out[dim * LANES + lane] += weights[key * LANES + lane] * value;
        }
      }
    }
  }
}
