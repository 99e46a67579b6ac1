package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SoftmaxKernelsTest {
  private static final int KEYS = 4096;

  @Test
  void weightsArePowersOfTwoWithinTwoAndAHalfTenMillionths() {
    float[] scores = new float[KEYS * LANES];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = -126f * i / scores.length;
    }
    float[] weights = scores.clone();
    float[] sums = new float[LANES];
    SoftmaxKernels.weigh(weights, KEYS, LaneRange.first(LANES), new float[LANES], sums);
    double greatest = 0;
    for (int i = 0; i < scores.length; i++) {
      double exact = Math.pow(2, scores[i]);
      greatest = Math.max(greatest, Math.abs(weights[i] - exact) / exact);
    }
    // 1.1e-7 of the polynomial, and roundings of the last multiply-add and the product.
    assertThat(greatest).isLessThan(2.5e-7);
  }

  @Test
  void weightsAreExactAtTheEnds() {
    float[] scores = new float[LANES];
    scores[0] = 0;
    scores[1] = -1;
    scores[2] = -200;
    scores[3] = Float.NEGATIVE_INFINITY;
    scores[4] = Float.NaN;
    scores[5] = -127;
    scores[6] = -3e38f;
    SoftmaxKernels.weigh(scores, 1, LaneRange.first(LANES), new float[LANES], new float[LANES]);
    assertThat(Arrays.copyOf(scores, 7)).containsExactly(1, 0.5f, 0, 0, Float.NaN, 0, 0);
  }

  @Test
  void sumsAndGreatestScoresAreOfTheLane() {
    float[] scores = new float[8 * LANES];
    for (int key = 0; key < 8; key++) {
      for (int lane = 0; lane < LANES; lane++) {
        scores[key * LANES + lane] = -((key * 5 + lane) % 8);
      }
    }
    float[] greatest = new float[LANES];
    Arrays.fill(greatest, -4.5f);
    greatest[1] = 3;
    SoftmaxKernels.raise(greatest, scores, 8, LaneRange.first(LANES));
    float[] sums = new float[LANES];
    SoftmaxKernels.weigh(scores, 8, LaneRange.first(LANES), new float[LANES], sums);
    for (int lane = 0; lane < LANES; lane++) {
      assertThat(greatest[lane]).isEqualTo(lane == 1 ? 3 : 0);
      assertThat(sums[lane]).isEqualTo(2 - 1f / 128);
    }
  }
}
