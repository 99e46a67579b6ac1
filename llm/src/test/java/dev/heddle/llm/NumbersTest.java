package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.llm.ModelConfig.Rotary;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The small functions between the matrix products. */
class NumbersTest {
  @Test
  void siluIsWithinTenUnitsInTheLastPlace() {
    int count = 2 * 87 * 512;
    float[] x = new float[count];
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    for (int i = 0; i < count; i++) {
      x[i] = -87 + i / 512f;
    }
    float[] silu = x.clone();
    new Silu(count).multiply(silu, ones);
    for (int i = 0; i < count; i++) {
      double exact = x[i] / (1 + Math.exp(-x[i]));
      // 3 of the exponential, half a one each for its product, the sum, the quotient and the
      // factor, and all doubled where the exponential's next power of two makes its units coarser.
      assertThat(Math.abs(silu[i] - exact))
          .as("silu(%s)", x[i])
          .isLessThanOrEqualTo(10 * Math.ulp((float) Math.abs(exact)));
    }
  }

  @Test
  void siluIsDefinedForEveryNumber() {
    float[] gate = {-1000, Float.NEGATIVE_INFINITY, 0, 1, 1000, Float.NaN};
    new Silu(6).multiply(gate, new float[] {1, 1, 1, 2, 1, 1});
    assertThat(gate[0]).isNegative().isCloseTo(0, Offset.offset(1e-30f));
    assertThat(gate[1]).isNegative();
    assertThat(gate[2]).isZero();
    assertThat(gate[3]).isCloseTo(2 * 0.7310586f, Offset.offset(3e-7f));
    assertThat(gate[4]).isEqualTo(1000);
    assertThat(gate[5]).isNaN();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 63, 64, 65, 127})
  void normedRowsHaveMeanSquareOneTimesTheWeight(int width) {
    SplittableRandom random = new SplittableRandom(width);
    float[] weight = new float[width];
    float[] row = new float[width + 2];
    double squares = 0;
    for (int i = 0; i < width; i++) {
      weight[i] = (float) random.nextGaussian();
      row[i + 1] = (float) random.nextGaussian(0, 30);
      squares += (double) row[i + 1] * row[i + 1];
    }
    float[] normed = row.clone();
    new RmsNorm(weight, 1e-5f).apply(normed, 1);
    double scale = 1 / Math.sqrt(squares / width + 1e-5);
    for (int i = 0; i < width; i++) {
      double exact = weight[i] * row[i + 1] * scale;
      // A sum of 127 squares in four parts and two products: 34 roundings.
      assertThat((double) normed[i + 1])
          .isCloseTo(exact, Offset.offset(34 * 0x1p-24 * Math.abs(exact)));
    }
    assertThat(normed[0]).isZero();
    assertThat(normed[width + 1]).isZero();
  }

  @Test
  void positionZeroTurnsNothingAndATurnKeepsLengths() {
    RotaryEmbedding rotary = new RotaryEmbedding(new Rotary(1e4, new RotaryScaling.None()), 8);
    float[] cosines = new float[4];
    float[] sines = new float[4];
    float[] row = {9, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    rotary.angles(0, cosines, sines);
    float[] unturned = row.clone();
    RotaryEmbedding.turn(unturned, 1, cosines, sines);
    assertThat(unturned).isEqualTo(row);
    rotary.angles(12_345, cosines, sines);
    float[] turned = row.clone();
    RotaryEmbedding.turn(turned, 1, cosines, sines);
    for (int i = 1; i <= 4; i++) {
      assertThat(Math.hypot(turned[i], turned[i + 4]))
          .isCloseTo(Math.hypot(row[i], row[i + 4]), Offset.offset(1e-5));
    }
    assertThat(turned[0]).isEqualTo(9);
    assertThat(turned[9]).isEqualTo(9);
  }

  @Test
  void frequenciesFallFromOneByTheta() {
    float[] cosines = new float[2];
    float[] sines = new float[2];
    new RotaryEmbedding(new Rotary(100, new RotaryScaling.None()), 4).angles(3, cosines, sines);
    assertThat(cosines).containsExactly((float) Math.cos(3), (float) Math.cos(3 * 0.1f));
    assertThat(sines).containsExactly((float) Math.sin(3), (float) Math.sin(3 * 0.1f));
    new RotaryEmbedding(new Rotary(100, new RotaryScaling.Linear(4)), 4).angles(3, cosines, sines);
    assertThat(sines).containsExactly((float) Math.sin(0.75), (float) Math.sin(3 * 0.025f));
  }

  @Test
  void llama3KeepsShortWavelengthsAndStretchesLongOnes() {
    // Wavelengths 2π and 2π·10^4 of a model trained on 64 tokens: bounds 16 and 64.
    Rotary rotary = new Rotary(1e8, new RotaryScaling.Llama3(8, 1, 4, 64));
    float[] cosines = new float[2];
    float[] sines = new float[2];
    new RotaryEmbedding(rotary, 4).angles(1, cosines, sines);
    assertThat(sines[0]).isEqualTo((float) Math.sin(1));
    assertThat(sines[1]).isCloseTo(1e-4f / 8, Offset.offset(1e-12f));
  }
}
