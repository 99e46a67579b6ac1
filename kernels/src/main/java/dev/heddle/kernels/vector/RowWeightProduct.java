package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.SPECIES;
import static dev.heddle.kernels.vector.PanelProduct.VECTOR;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.kernels.MatrixProducts.Weight;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The product for few tokens: each weight row is read once, as float32 in the heap, and multiplied
 * with every token along the inputs. Bound by the memory that the weight lies in.
 */
final class RowWeightProduct {
  /** Numbers of a weight that are converted at a time: 64 KiB, which stays in the cache. */
  private static final int CHUNK = 16 * 1024;

  /** Rows that are multiplied with one token at a time. */
  private static final int ROWS = 4;

  private final WorkerPool pool;
  private final ScratchPool<float[]> scratches = new ScratchPool<>();

  RowWeightProduct(WorkerPool pool) {
    this.pool = pool;
  }

  void multiply(MemorySegment in, int tokens, Weight weight, MemorySegment out) {
    int stride = PanelProduct.wholeVectors(weight.inputs());
    float[] activations = new float[tokens * stride];
    for (int token = 0; token < tokens; token++) {
      ElementType.FLOAT32.load(
          in, (long) token * weight.inputs(), activations, token * stride, weight.inputs());
    }
    int chunkRows = Math.max(ROWS, CHUNK / stride / ROWS * ROWS);
    Product product = new Product(weight, activations, tokens, stride, out);
    pool.run(
        Math.ceilDiv(weight.outputs(), chunkRows),
        chunk ->
            scratches.use(
                rows -> rows.length == chunkRows * stride,
                () -> new float[chunkRows * stride],
                rows -> product.rows(chunk * chunkRows, chunkRows, rows)));
  }

  /**
   * One call.
   *
   * @param activations {@code [tokens][stride]}, zero from the inputs to the stride
   * @param stride the inputs, rounded up to whole vectors
   */
  @SuppressWarnings("ArrayRecordComponent") // a view of scratch, never compared
  private record Product(
      Weight weight, float[] activations, int tokens, int stride, MemorySegment out) {
    void rows(int first, int most, float[] rows) {
      int count = Math.min(most, weight.outputs() - first);
      HeadMatrix matrix =
          HeadMatrix.contiguous(weight.memory(), weight.type(), weight.outputs(), weight.inputs());
      for (int i = 0; i < count; i++) {
        HeapRows.copy(matrix, first + i, 1, rows, i * stride);
      }
      float[] results = new float[count + ROWS + ROWS * VECTOR]; // at the end, lanes to be summed
      for (int token = 0; token < tokens; token++) {
        for (int i = 0; i < count; i += ROWS) {
          dots(rows, i * stride, token * stride, results, i);
        }
        long at = (long) token * weight.outputs() + first;
        ElementType.FLOAT32.store(results, 0, out, at, count);
      }
    }

    /** In the lanes' order: {@code reduceLanes} leaves the order open, and results would vary. */
    private static float sumOfLanes(float[] lanes, int from) {
      float sum = 0;
      for (int lane = from; lane < from + VECTOR; lane++) {
        sum += lanes[lane];
      }
      return sum;
    }

    private void dots(float[] rows, int from, int tokenFrom, float[] results, int to) {
      FloatVector sum0 = FloatVector.zero(SPECIES);
      FloatVector sum1 = FloatVector.zero(SPECIES);
      FloatVector sum2 = FloatVector.zero(SPECIES);
      FloatVector sum3 = FloatVector.zero(SPECIES);
      for (int i = 0; i < stride; i += VECTOR) {
        FloatVector activation = FloatVector.fromArray(SPECIES, activations, tokenFrom + i);
        int at = from + i;
        sum0 = FloatVector.fromArray(SPECIES, rows, at).fma(activation, sum0);
        sum1 = FloatVector.fromArray(SPECIES, rows, at + stride).fma(activation, sum1);
        sum2 = FloatVector.fromArray(SPECIES, rows, at + 2 * stride).fma(activation, sum2);
        sum3 = FloatVector.fromArray(SPECIES, rows, at + 3 * stride).fma(activation, sum3);
      }
      int lanes = results.length - ROWS * VECTOR;
      sum0.intoArray(results, lanes);
      sum1.intoArray(results, lanes + VECTOR);
      sum2.intoArray(results, lanes + 2 * VECTOR);
      sum3.intoArray(results, lanes + 3 * VECTOR);
      for (int row = 0; row < ROWS; row++) {
        results[to + row] = sumOfLanes(results, lanes + row * VECTOR);
      }
    }
  }
}
