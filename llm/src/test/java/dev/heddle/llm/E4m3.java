package dev.heddle.llm;

/** How a row of keys or values is kept in 8 bits, written down plainly. */
final class E4m3 {
  static final float GREATEST = 448;

  private static final int MANTISSA_BITS = 3;
  private static final int LEAST_EXPONENT = -6;

  private E4m3() {}

  /** What a row is divided by. */
  static float scale(float[] row) {
    float greatest = 0;
    for (float x : row) {
      if (!Float.isFinite(x)) {
        return Float.NaN;
      }
      greatest = Math.max(greatest, Math.abs(x));
    }
    return greatest / GREATEST;
  }

  /** The row as it is read back. */
  static float[] kept(float[] row) {
    float scale = scale(row);
    float inverse = scale > 0 ? 1 / scale : 0;
    float[] kept = new float[row.length];
    for (int i = 0; i < row.length; i++) {
      kept[i] = nearest(row[i] * inverse) * scale;
    }
    return kept;
  }

  /** The nearest number that e4m3 has, ties to the even one. */
  static float nearest(float x) {
    int exponent = Math.max(Math.getExponent(x), LEAST_EXPONENT);
    double step = Math.scalb(1.0, exponent - MANTISSA_BITS);
    double rounded = Math.rint(x / step) * step;
    return (float) Math.clamp(rounded, -GREATEST, GREATEST);
  }

  /** The number that {@code code} stands for. */
  static float decode(byte code) {
    int exponent = code >> MANTISSA_BITS & 15;
    int mantissa = code & 7;
    double size =
        exponent == 0
            ? Math.scalb(mantissa, LEAST_EXPONENT - MANTISSA_BITS)
            : Math.scalb(8 + mantissa, exponent - 7 - MANTISSA_BITS);
    return (float) (code < 0 ? -size : size);
  }
}
