package dev.heddle.api;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How one number of Q, K, V or the output lies in memory, in native byte order. Accumulation is
 * always float32.
 */
public enum ElementType {
  /** IEEE 754 binary32. */
  FLOAT32(4, 0x1p-24) {
    @Override
    public float round(float value) {
      return value;
    }

    @Override
    public float load(MemorySegment memory, long elementOffset) {
      return memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, elementOffset * 4);
    }

    @Override
    public void store(MemorySegment memory, long elementOffset, float value) {
      memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, elementOffset * 4, value);
    }

    @Override
    public void load(
        MemorySegment memory, long elementOffset, float[] target, int targetOffset, int count) {
      MemorySegment.copy(
          memory, ValueLayout.JAVA_FLOAT_UNALIGNED, elementOffset * 4, target, targetOffset, count);
    }

    @Override
    public void store(
        float[] source, int sourceOffset, MemorySegment memory, long elementOffset, int count) {
      MemorySegment.copy(
          source, sourceOffset, memory, ValueLayout.JAVA_FLOAT_UNALIGNED, elementOffset * 4, count);
    }
  },

  /** IEEE 754 binary16. */
  FLOAT16(2, 0x1p-11) {
    @Override
    public float round(float value) {
      return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    @Override
    public float load(MemorySegment memory, long elementOffset) {
      return Float.float16ToFloat(memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, elementOffset * 2));
    }

    @Override
    public void store(MemorySegment memory, long elementOffset, float value) {
      memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, elementOffset * 2, Float.floatToFloat16(value));
    }

    @Override
    public void load(
        MemorySegment memory, long elementOffset, float[] target, int targetOffset, int count) {
      short[] halves = loadShorts(memory, elementOffset, count);
      for (int i = 0; i < count; i++) {
        target[targetOffset + i] = Float.float16ToFloat(halves[i]);
      }
    }

    @Override
    public void store(
        float[] source, int sourceOffset, MemorySegment memory, long elementOffset, int count) {
      short[] halves = new short[count];
      for (int i = 0; i < count; i++) {
        halves[i] = Float.floatToFloat16(source[sourceOffset + i]);
      }
      storeShorts(halves, memory, elementOffset);
    }
  },

  /**
   * The upper half of a binary32: 8 bits of exponent, 7 of fraction. Stores round to nearest even.
   */
  BFLOAT16(2, 0x1p-8) {
    @Override
    public float round(float value) {
      return bfloat16ToFloat(floatToBfloat16(value));
    }

    @Override
    public float load(MemorySegment memory, long elementOffset) {
      return bfloat16ToFloat(memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, elementOffset * 2));
    }

    @Override
    public void store(MemorySegment memory, long elementOffset, float value) {
      memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, elementOffset * 2, floatToBfloat16(value));
    }

    @Override
    public void load(
        MemorySegment memory, long elementOffset, float[] target, int targetOffset, int count) {
      short[] halves = loadShorts(memory, elementOffset, count);
      for (int i = 0; i < count; i++) {
        target[targetOffset + i] = bfloat16ToFloat(halves[i]);
      }
    }

    @Override
    public void store(
        float[] source, int sourceOffset, MemorySegment memory, long elementOffset, int count) {
      short[] halves = new short[count];
      for (int i = 0; i < count; i++) {
        halves[i] = floatToBfloat16(source[sourceOffset + i]);
      }
      storeShorts(halves, memory, elementOffset);
    }
  };

  private final int bytes;
  private final double unitRoundoff;

  ElementType(int bytes, double unitRoundoff) {
    this.bytes = bytes;
    this.unitRoundoff = unitRoundoff;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /** The most by which rounding to this type changes a number of normal size, relative to it. */
  public double unitRoundoff() {
    return unitRoundoff;
  }

  /** The number of this type that is nearest to {@code value}; of two, the even one. */
  public abstract float round(float value);

  /** Reads the element at {@code elementOffset} (in elements) of {@code memory}. */
  public abstract float load(MemorySegment memory, long elementOffset);

  /** Rounds {@code value} to this type and writes it at {@code elementOffset} (in elements). */
  public abstract void store(MemorySegment memory, long elementOffset, float value);

  /** Reads {@code count} neighbouring elements into {@code target}; offsets in elements. */
  public abstract void load(
      MemorySegment memory, long elementOffset, float[] target, int targetOffset, int count);

  /** Rounds and writes {@code count} neighbouring elements; offsets in elements. */
  public abstract void store(
      float[] source, int sourceOffset, MemorySegment memory, long elementOffset, int count);

  private static short[] loadShorts(MemorySegment memory, long elementOffset, int count) {
    short[] halves = new short[count];
    MemorySegment.copy(
        memory, ValueLayout.JAVA_SHORT_UNALIGNED, elementOffset * 2, halves, 0, count);
    return halves;
  }

  private static void storeShorts(short[] halves, MemorySegment memory, long elementOffset) {
    MemorySegment.copy(
        halves, 0, memory, ValueLayout.JAVA_SHORT_UNALIGNED, elementOffset * 2, halves.length);
  }

  private static float bfloat16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  private static short floatToBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40); // stays a NaN when the low half held its only set bits
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }
}
