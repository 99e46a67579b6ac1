package dev.heddle.pattern.verticalslash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestTensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProbeAttentionTest {
  @ParameterizedTest
  @CsvSource({"1,1,8,1", "63,63,16,63", "127,1023,8,64", "1023,1023,64,64", "1,700,20,1"})
  void sumsTheSoftmaxRowsOfTheLastQueries(int queryTokens, int keyTokens, int headDim, int probes) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, headDim);
    for (ElementType type : ElementType.values()) {
      HeadInputs head =
          new TestTensors(5).rotaryLayer(shape, type, Layout.STRIDED).head(0, BlockShape.DEFAULT);
      ProbeAttention found = ProbeAttention.of(head, probes);
      NaiveProbeAttention expected = new NaiveProbeAttention(head, probes);
      assertClose("column", found.byColumn(), expected.byColumn, expected.tolerance);
      assertClose("offset", found.byOffset(), expected.byOffset, expected.tolerance);
    }
  }

  /** Each probe is added after the one before it, however many are scored at a time. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 10, 11})
  void groupsOfProbesGiveTheSameSums(int group) {
    HeadInputs head =
        new TestTensors(5)
            .rotaryLayer(
                new AttentionShape(1, 1, 113, 241, 16), ElementType.FLOAT32, Layout.CONTIGUOUS)
            .head(0, BlockShape.DEFAULT);
    ProbeAttention expected = ProbeAttention.of(head, 11);
    ProbeAttention found = ProbeAttention.of(head, 11, group);
    assertThat(found.byColumn()).isEqualTo(expected.byColumn());
    assertThat(found.byOffset()).isEqualTo(expected.byOffset());
  }

  private static void assertClose(String name, float[] found, double[] expected, double tolerance) {
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) found[i])
          .as("%s %d", name, i)
          .isCloseTo(expected[i], within(tolerance * expected[i] + 1e-24));
    }
  }

  @Test
  void exponentialsAreAccurateAndBoundedBelow() {
    float[] scores = new float[2001];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = 7 - i / 20f;
    }
    float[] weights = scores.clone();
    float sum = Softmax.exponentiate(weights, weights.length);
    double expectedSum = 0;
    for (int i = 0; i < scores.length; i++) {
      double expected = Math.exp((double) scores[i] - 7);
      expectedSum += expected;
      if (scores[i] - 7 > -20) {
        assertThat((double) weights[i]).isCloseTo(expected, within(3e-5 * expected));
      } else {
        assertThat(weights[i]).isBetween(0f, 1e-8f);
      }
    }
    assertThat((double) sum).isCloseTo(expectedSum, within(3e-5 * expectedSum));
  }

  @Test
  void scoresThatAreNotFiniteAreRankedAndNothingElseChanges() {
    float[] weights = {1, Float.NaN, 3, Float.NEGATIVE_INFINITY, 3, 99};
    float sum = Softmax.exponentiate(weights, 5);
    assertThat(weights[2]).isEqualTo(1).isEqualTo(weights[4]);
    assertThat((double) weights[0]).isCloseTo(Math.exp(-2), within(1e-5));
    assertThat(weights[1]).isEqualTo(weights[3]).isLessThan(1e-25f);
    assertThat(weights[5]).isEqualTo(99);
    assertThat((double) sum).isCloseTo(2 + Math.exp(-2), within(1e-4));

    float[] infinite = {Float.POSITIVE_INFINITY, 5, Float.POSITIVE_INFINITY, Float.NaN};
    assertThat(Softmax.exponentiate(infinite, 4)).isEqualTo(2);
    assertThat(infinite[0]).isEqualTo(1).isEqualTo(infinite[2]);
    assertThat(infinite[1]).isLessThan(1e-25f);

    float[] nothing = {Float.NaN, Float.NaN};
    assertThat(Softmax.exponentiate(nothing, 2)).isEqualTo(2);
  }

  @Test
  void weightsAddUpToOneAndAreBoundedBelow() {
    float[] weights = {3, 3, 3, -57.5f, -100, Float.NaN, 5};
    Softmax.weigh(weights, 6);
    assertThat((double) weights[0]).isCloseTo(1 / 3.0, within(1e-6));
    assertThat((double) weights[3] / Softmax.LEAST_WEIGHT).isEqualTo(1);
    assertThat(weights[4]).isEqualTo(weights[5]).isEqualTo(Softmax.LEAST_WEIGHT);
    assertThat((double) Softmax.LEAST_WEIGHT).isCloseTo(Math.exp(-60), within(1e-33));
    assertThat(weights[6]).isEqualTo(5);
  }
}
