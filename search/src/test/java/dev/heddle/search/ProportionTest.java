package dev.heddle.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.heddle.api.InvalidInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProportionTest {
  private static final double Z = 1.959964;

  /** Wilson's bounds are the shares p with |right/asked - p| = z · √(p(1 - p)/asked). */
  @ParameterizedTest
  @CsvSource({"1, 2", "41, 64", "63, 64", "1, 64", "500, 1000", "3, 4"})
  void boundsSolveWilsonsEquation(int right, int asked) {
    Proportion proportion = new Proportion(right, asked);
    for (double bound : new double[] {proportion.low(), proportion.high()}) {
      assertThat(Math.abs(proportion.share() - bound))
          .isCloseTo(Z * Math.sqrt(bound * (1 - bound) / asked), within(1e-9));
    }
    assertThat(proportion.low()).isLessThan(proportion.share());
    assertThat(proportion.high()).isGreaterThan(proportion.share());
  }

  @Test
  void nothingAndEverythingAreBounds() {
    assertThat(new Proportion(0, 10).low()).isZero();
    assertThat(new Proportion(0, 10).high()).isCloseTo(0.2775, within(1e-4));
    assertThat(new Proportion(10, 10).high()).isEqualTo(1);
    assertThat(new Proportion(10, 10).low()).isCloseTo(0.7225, within(1e-4));
  }

  @Test
  void addsUp() {
    assertThat(new Proportion(1, 2).plus(new Proportion(3, 5))).isEqualTo(new Proportion(4, 7));
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "-1, 3", "4, 3"})
  void refusesWhatIsNoShare(int right, int asked) {
    assertThatThrownBy(() -> new Proportion(right, asked))
        .isInstanceOf(InvalidInputException.class);
  }
}
