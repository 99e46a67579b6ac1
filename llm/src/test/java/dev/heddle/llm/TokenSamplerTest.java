package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenSamplerTest {
  private static final int DRAWS = 20_000;

  /** Probabilities 0.5, 0.3, 0.2 at temperature 1, not in that order. */
  private static final Logits LOGITS =
      new Logits(
          new float[][] {{(float) Math.log(0.3), (float) Math.log(0.5), (float) Math.log(0.2)}});

  private static double[] shares(Sampling sampling) {
    TokenSampler sampler = new TokenSampler(sampling);
    int[] counts = new int[3];
    for (int i = 0; i < DRAWS; i++) {
      counts[sampler.choose(LOGITS, 0)]++;
    }
    return Arrays.stream(counts).mapToDouble(count -> (double) count / DRAWS).toArray();
  }

  private static void assertShares(double[] actual, double... expected) {
    for (int token = 0; token < expected.length; token++) {
      // Four standard deviations of a share of so many draws: at most 4 · √(0.25 / 20,000) = 0.014.
      assertThat(actual[token]).isBetween(expected[token] - 0.014, expected[token] + 0.014);
    }
  }

  @Test
  void tokensAreDrawnByTheirProbabilities() {
    assertShares(shares(new Sampling(1, 1, 1)), 0.3, 0.5, 0.2);
  }

  @Test
  void temperatureRaisesProbabilitiesToAPower() {
    double sum = 0.3 * 0.3 + 0.5 * 0.5 + 0.2 * 0.2; // temperature 1/2: squares
    assertShares(shares(new Sampling(0.5, 1, 2)), 0.09 / sum, 0.25 / sum, 0.04 / sum);
  }

  @Test
  void topPKeepsTheLikeliest() {
    assertShares(shares(new Sampling(1, 0.79, 3)), 0.3 / 0.8, 0.5 / 0.8, 0);
    assertThat(shares(new Sampling(1, 0.4, 4))).containsExactly(0, 1, 0);
  }

  @Test
  void temperatureZeroTakesTheGreatest() {
    assertThat(shares(Sampling.GREEDY)).containsExactly(0, 1, 0);
  }

  @Test
  void largeLogitsDoNotOverflow() {
    Logits logits = new Logits(new float[][] {{1e30f, -1e30f, 3e38f}});
    assertThat(new TokenSampler(new Sampling(1e-3, 1, 5)).choose(logits, 0)).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({"-0.1,1", "NaN,1", "Infinity,1", "1,0", "1,1.1", "1,NaN"})
  void settingsOutOfRangeAreRefused(double temperature, double topP) {
    assertThatThrownBy(() -> new Sampling(temperature, topP, 0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("allowed: ");
  }

  @Test
  void anAnswerOfNoTokensIsRefused() {
    assertThatThrownBy(() -> GenerationOptions.greedy(0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("max-new-tokens is 0; allowed: an integer from 1");
  }
}
