package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What the rule that keeps keys and values in 8 bits promises. */
class E4m3Test {
  private static final long SEED = 2718;

  @Test
  void everyCodeIsItsOwnNearest() {
    for (int code = 0; code < 256; code++) {
      float number = E4m3.decode((byte) code);
      if ((code & 127) != 127) { // NaN, which is not used
        assertThat(E4m3.nearest(number)).as("code %d", code).isEqualTo(number);
      }
    }
    assertThat(E4m3.decode((byte) 126)).isEqualTo(E4m3.GREATEST);
    assertThat(E4m3.decode((byte) 1)).isEqualTo(0x1p-9f);
  }

  @Test
  void tiesGoToTheEvenOne() {
    assertThat(E4m3.nearest(1 + 0x1p-4f)).isEqualTo(1);
    assertThat(E4m3.nearest(1 + 3 * 0x1p-4f)).isEqualTo(1 + 0x1p-2f);
    assertThat(E4m3.nearest(1000)).isEqualTo(448);
  }

  @Test
  void aNumberKeepsFourBitsAndSmallOnesAShareOfTheScale() {
    SplittableRandom random = new SplittableRandom(SEED);
    for (int round = 0; round < 2000; round++) {
      float[] row = new float[64];
      double size = Math.exp(random.nextDouble(-20, 20));
      for (int i = 0; i < row.length; i++) {
        row[i] = (float) (size * random.nextGaussian() * Math.exp(random.nextDouble(-8, 0)));
      }
      float[] kept = E4m3.kept(row);
      double scale = E4m3.scale(row);
      for (int i = 0; i < row.length; i++) {
        // A rounding of float32 more: the row is divided and multiplied again.
        double allowed = Math.max(Math.abs(row[i]) / 16, scale / 1024) * (1 + 0x1p-18);
        assertThat(Math.abs((double) kept[i] - row[i]))
            .as("seed %d, round %d, number %d: %s", SEED, round, i, row[i])
            .isLessThanOrEqualTo(allowed);
      }
    }
  }

  @Test
  void zerosStayAndWhatIsNotFiniteSpoilsItsRow() {
    assertThat(E4m3.kept(new float[3])).containsExactly(0, 0, 0);
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      assertThat(E4m3.scale(new float[] {1, bad, 2})).isNaN();
    }
  }
}
