package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ElementTypeTest {
  private static final int PATTERNS = 1 << 16;

  @ParameterizedTest
  @EnumSource(names = {"FLOAT16", "BFLOAT16"})
  void everyBitPatternComesBack(ElementType type) {
    short[] bits = new short[PATTERNS];
    for (int i = 0; i < PATTERNS; i++) {
      bits[i] = (short) i;
    }
    float[] loaded = new float[PATTERNS];
    type.load(MemorySegment.ofArray(bits), 0, loaded, 0, PATTERNS);
    short[] stored = new short[PATTERNS];
    type.store(loaded, 0, MemorySegment.ofArray(stored), 0, PATTERNS);
    for (int i = 0; i < PATTERNS; i++) {
      if (isNaN(type, i)) {
        assertThat(loaded[i]).as("%04x", i).isNaN();
        assertThat(isNaN(type, stored[i] & 0xFFFF)).as("%04x", i).isTrue();
      } else {
        assertThat(loaded[i]).as("%04x", i).isEqualTo(value(type, i));
        assertThat(stored[i]).as("%04x", i).isEqualTo((short) i);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT16", "BFLOAT16"})
  void storesTheNearestNumberAndTheEvenOneOfTwo(ElementType type) {
    int infinity = type == ElementType.FLOAT16 ? 0x7C00 : 0x7F80;
    for (int low = 0; low < infinity - 1; low++) {
      float lower = value(type, low);
      float upper = value(type, low + 1);
      float middle = lower + (upper - lower) / 2; // exact: float32 has bits to spare
      int even = low % 2 == 0 ? low : low + 1;
      assertStored(type, middle, even);
      assertStored(type, Math.nextDown(middle), low);
      assertStored(type, Math.nextUp(middle), low + 1);
      assertStored(type, -middle, even | 0x8000);
    }
  }

  @ParameterizedTest
  @EnumSource
  void roundsAsItStoresAndByAtMostTheUnitRoundoff(ElementType type) {
    MemorySegment stored = MemorySegment.ofArray(new int[1]);
    Random random = new Random(1);
    for (int i = 0; i < 10_000; i++) {
      float value = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(20) - 10));
      type.store(stored, 0, value);
      assertThat(type.round(value)).as("%s", value).isEqualTo(type.load(stored, 0));
      if (Math.abs(value) >= Math.pow(2, -14)) {
        assertThat((double) type.round(value))
            .as("%s", value)
            .isCloseTo(value, within(type.unitRoundoff() * Math.abs(value)));
      }
    }
    assertThat(type.round(Float.NaN)).isNaN();
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT16", "BFLOAT16"})
  void theUnitRoundoffIsHalfTheDistanceFromOneToTheNextNumber(ElementType type) {
    float half = (float) type.unitRoundoff();
    assertThat(type.round(1 + half)).isEqualTo(1);
    assertThat(type.round(Math.nextUp(1 + half))).isEqualTo(1 + 2 * half);
  }

  @Test
  void storesInfinityForWhatIsTooLarge() {
    assertStored(ElementType.FLOAT16, 65_519, 0x7BFF);
    assertStored(ElementType.FLOAT16, 65_520, 0x7C00);
    assertStored(ElementType.BFLOAT16, Float.MAX_VALUE, 0x7F80);
    assertStored(ElementType.BFLOAT16, Float.NEGATIVE_INFINITY, 0xFF80);
  }

  /** Cutting off the low half of this NaN would leave infinity. */
  @Test
  void bfloat16KeepsANaNWhoseBitsAreAllInTheLowHalf() {
    short[] stored = new short[1];
    ElementType.BFLOAT16.store(MemorySegment.ofArray(stored), 0, Float.intBitsToFloat(0x7F800001));
    assertThat(isNaN(ElementType.BFLOAT16, stored[0] & 0xFFFF)).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void bulkAndSingleAccessAgreeAtAnyByteOffset(ElementType type) {
    Random random = new Random(3);
    float[] numbers = new float[70];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    byte[] single = new byte[400];
    byte[] bulk = new byte[400];
    MemorySegment singleMemory = MemorySegment.ofArray(single).asSlice(1);
    MemorySegment bulkMemory = MemorySegment.ofArray(bulk).asSlice(1);
    for (int i = 0; i < 65; i++) {
      type.store(singleMemory, 3 + i, numbers[2 + i]);
    }
    type.store(numbers, 2, bulkMemory, 3, 65);
    assertThat(bulk).isEqualTo(single);

    float[] loaded = new float[70];
    type.load(bulkMemory, 3, loaded, 4, 65);
    for (int i = 0; i < 65; i++) {
      assertThat(loaded[4 + i]).isEqualTo(type.load(singleMemory, 3 + i));
    }
    assertThat(loaded[3]).isZero();
    assertThat(loaded[69]).isZero();
  }

  private static void assertStored(ElementType type, float value, int bits) {
    short[] stored = new short[1];
    type.store(MemorySegment.ofArray(stored), 0, value);
    assertThat(stored[0]).as("%s in %s", value, type).isEqualTo((short) bits);
  }

  private static boolean isNaN(ElementType type, int bits) {
    return fraction(type, bits) != 0 && exponent(type, bits) == greatestExponent(type);
  }

  /** The number from its sign, exponent and fraction, by the formula of IEEE 754. */
  private static float value(ElementType type, int bits) {
    int exponent = exponent(type, bits);
    int fractionBits = fractionBits(type);
    double magnitude;
    if (exponent == greatestExponent(type)) {
      magnitude = Double.POSITIVE_INFINITY;
    } else {
      int bias = greatestExponent(type) / 2;
      long significand = fraction(type, bits) + (exponent == 0 ? 0L : 1L << fractionBits);
      magnitude = Math.scalb((double) significand, Math.max(exponent, 1) - bias - fractionBits);
    }
    return (float) ((bits & 0x8000) == 0 ? magnitude : -magnitude);
  }

  private static int fractionBits(ElementType type) {
    return type == ElementType.FLOAT16 ? 10 : 7;
  }

  private static int greatestExponent(ElementType type) {
    return (1 << (15 - fractionBits(type))) - 1;
  }

  private static int exponent(ElementType type, int bits) {
    return bits >> fractionBits(type) & greatestExponent(type);
  }

  private static int fraction(ElementType type, int bits) {
    return bits & ((1 << fractionBits(type)) - 1);
  }
}
