package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.SPECIES;
import static dev.heddle.kernels.vector.PanelProduct.VECTOR;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Transposes a matrix. Number by number that takes about 1.3 cycles each on a Zen 4, since the
 * writes go to another line of the cache each time; at 512 bits it is done in squares of 16 x 16.
 *
 * <p>To <em>zip</em> two rows is to take their numbers in turn: that makes two new rows. Where the
 * rows {@code i} and {@code i + 8} of a square are zipped to its rows {@code 2i} and {@code 2i +
 * 1}, the bits of a number's place, (row, column), rotate by one. Four times exchange row and
 * column.
 */
final class Transposition {
  /** Rows and columns of a square, which are the lanes of a 512-bit vector. */
  private static final int SIDE = 16;

  private static final boolean IN_SQUARES = VECTOR == SIDE;

  private static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, SPECIES.vectorShape());

  /** Lanes of two rows, one after the other, that make the first and the second zipped row. */
  private static final int[] FIRST = zipped(0);

  private static final int[] SECOND = zipped(SIDE / 2);

  private final float[] halfWay = new float[SIDE * SIDE];

  /**
   * Sets {@code target}, {@code [columns][rows]}, to the transpose of {@code source}, {@code
   * [rows][columns]}, with column {@code i} of the source multiplied by {@code factors[i]}.
   */
  void transpose(float[] source, float[] factors, int columns, float[] target) {
    int rows = source.length / columns;
    int wholeRows = IN_SQUARES ? rows / SIDE * SIDE : 0;
    int wholeColumns = IN_SQUARES ? columns / SIDE * SIDE : 0;
    for (int column = 0; column < wholeColumns; column += SIDE) {
      for (int row = 0; row < wholeRows; row += SIDE) {
        multiplyAndZip(source, row * columns + column, columns, factors, column);
        zip(target, column * rows + row, rows);
      }
    }
    for (int row = 0; row < rows; row++) {
      for (int column = row < wholeRows ? wholeColumns : 0; column < columns; column++) {
        target[column * rows + row] = source[row * columns + column] * factors[column];
      }
    }
  }

  /** Zips twice, from a square of {@code source} to {@link #halfWay}. */
  private void multiplyAndZip(float[] source, int from, int stride, float[] factors, int column) {
    FloatVector factor = FloatVector.fromArray(SPECIES, factors, column);
    IntVector first = IntVector.fromArray(INTS, FIRST, 0);
    IntVector second = IntVector.fromArray(INTS, SECOND, 0);
    int quarter = SIDE / 4 * stride;
    for (int i = 0; i < SIDE / 4; i++) {
      int at = from + i * stride;
      IntVector a = FloatVector.fromArray(SPECIES, source, at).mul(factor).reinterpretAsInts();
      at += quarter;
      IntVector b = FloatVector.fromArray(SPECIES, source, at).mul(factor).reinterpretAsInts();
      at += quarter;
      IntVector c = FloatVector.fromArray(SPECIES, source, at).mul(factor).reinterpretAsInts();
      at += quarter;
      IntVector d = FloatVector.fromArray(SPECIES, source, at).mul(factor).reinterpretAsInts();
      IntVector ac0 = first.selectFrom(a, c);
      IntVector ac1 = second.selectFrom(a, c);
      IntVector bd0 = first.selectFrom(b, d);
      IntVector bd1 = second.selectFrom(b, d);
      int to = 4 * i * SIDE;
      first.selectFrom(ac0, bd0).reinterpretAsFloats().intoArray(halfWay, to);
      second.selectFrom(ac0, bd0).reinterpretAsFloats().intoArray(halfWay, to + SIDE);
      first.selectFrom(ac1, bd1).reinterpretAsFloats().intoArray(halfWay, to + 2 * SIDE);
      second.selectFrom(ac1, bd1).reinterpretAsFloats().intoArray(halfWay, to + 3 * SIDE);
    }
  }

  /** Zips twice more, from {@link #halfWay} to a square of {@code target}. */
  private void zip(float[] target, int to, int stride) {
    IntVector first = IntVector.fromArray(INTS, FIRST, 0);
    IntVector second = IntVector.fromArray(INTS, SECOND, 0);
    for (int i = 0; i < SIDE / 4; i++) {
      int at = i * SIDE;
      IntVector a = FloatVector.fromArray(SPECIES, halfWay, at).reinterpretAsInts();
      at += SIDE * SIDE / 4;
      IntVector b = FloatVector.fromArray(SPECIES, halfWay, at).reinterpretAsInts();
      at += SIDE * SIDE / 4;
      IntVector c = FloatVector.fromArray(SPECIES, halfWay, at).reinterpretAsInts();
      at += SIDE * SIDE / 4;
      IntVector d = FloatVector.fromArray(SPECIES, halfWay, at).reinterpretAsInts();
      IntVector ac0 = first.selectFrom(a, c);
      IntVector ac1 = second.selectFrom(a, c);
      IntVector bd0 = first.selectFrom(b, d);
      IntVector bd1 = second.selectFrom(b, d);
      int next = to + 4 * i * stride;
      first.selectFrom(ac0, bd0).reinterpretAsFloats().intoArray(target, next);
      second.selectFrom(ac0, bd0).reinterpretAsFloats().intoArray(target, next + stride);
      first.selectFrom(ac1, bd1).reinterpretAsFloats().intoArray(target, next + 2 * stride);
      second.selectFrom(ac1, bd1).reinterpretAsFloats().intoArray(target, next + 3 * stride);
    }
  }

  private static int[] zipped(int first) {
    int[] lanes = new int[SIDE];
    for (int i = 0; i < SIDE; i++) {
      lanes[i] = first + i / 2 + i % 2 * SIDE;
    }
    return lanes;
  }
}
