package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.SPECIES;
import static dev.heddle.kernels.vector.PanelProduct.VECTOR;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Copies rows of any memory and element type into the heap as float32. The kernels read nothing
 * else: one that is fed heap and native memory in one JVM runs at a fifth of its speed.
 */
final class HeapRows {
  private static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, SPECIES.vectorShape());

  private static final VectorSpecies<Short> HALVES =
      VectorSpecies.of(short.class, VectorShape.forBitSize(SPECIES.vectorBitSize() / 2));

  private HeapRows() {}

  /**
   * Does what {@link HeadMatrix#copyRows} does, and for bfloat16 faster: the compiler makes vector
   * code of the conversion from float16, but not of a shift of bits.
   */
  static void copy(HeadMatrix matrix, int firstToken, int count, float[] target, int to) {
    if (matrix.type() != ElementType.BFLOAT16) {
      matrix.copyRows(firstToken, count, target, to);
    } else if (matrix.tokenStride() == matrix.headDim()) {
      long from = matrix.rowOffset(firstToken);
      widen(matrix.memory(), from, count * matrix.headDim(), target, to);
    } else {
      for (int i = 0; i < count; i++) {
        long from = matrix.rowOffset(firstToken + i);
        widen(matrix.memory(), from, matrix.headDim(), target, to + i * matrix.headDim());
      }
    }
  }

  /**
   * Writes {@code count} rows, which lie in {@code rows} from {@code from} on, to {@code matrix}
   * from row {@code firstToken} on.
   */
  static void store(float[] rows, int from, HeadMatrix matrix, int firstToken, int count) {
    int headDim = matrix.headDim();
    boolean dense = matrix.tokenStride() == headDim;
    int length = dense ? count * headDim : headDim;
    for (int i = 0; i < count; i += dense ? count : 1) {
      long to = matrix.rowOffset(firstToken + i);
      matrix.type().store(rows, from + i * headDim, matrix.memory(), to, length);
    }
  }

  /**
   * Copies the rows {@code tokens[0]} to {@code tokens[count - 1]} to {@code target}, one after the
   * other; neighbours together.
   */
  static void gather(HeadMatrix matrix, int[] tokens, int count, float[] target) {
    for (int i = 0; i < count; ) {
      int end = i + 1;
      while (end < count && tokens[end] == tokens[end - 1] + 1) {
        end++;
      }
      copy(matrix, tokens[i], end - i, target, i * matrix.headDim());
      i = end;
    }
  }

  /** Makes float32 of {@code count} bfloat16 numbers: they are its upper halves. */
  private static void widen(MemorySegment memory, long from, int count, float[] target, int to) {
    short[] halves = new short[count];
    MemorySegment.copy(memory, ValueLayout.JAVA_SHORT_UNALIGNED, from * 2, halves, 0, count);
    int whole = count / VECTOR * VECTOR;
    for (int i = 0; i < whole; i += VECTOR) {
      IntVector wide =
          (IntVector)
              ShortVector.fromArray(HALVES, halves, i).convertShape(VectorOperators.S2I, INTS, 0);
      wide.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(target, to + i);
    }
    for (int i = whole; i < count; i++) {
      target[to + i] = Float.intBitsToFloat(halves[i] << 16);
    }
  }
}
