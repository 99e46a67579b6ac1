package dev.heddle.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import dev.heddle.search.SearchGoal.Speedup;
import dev.heddle.search.SearchGoal.Tolerance;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TradeTest {
  private static final HeadChoices HEAD =
      head(choice("dense", 100, 0), choice("good", 40, 0.05), choice("cheap", 10, 0.3));

  @Test
  void withinAToleranceEachHeadIsAsCheapAsItGets() {
    assertThat(patterns(new Tolerance(0.3), HEAD)).containsExactly("cheap");
    assertThat(patterns(new Tolerance(0.1), HEAD)).containsExactly("good");
  }

  @Test
  void aHeadThatNoPatternServesStaysDense() {
    assertThat(patterns(new Tolerance(0.01), HEAD, HEAD)).containsExactly("dense", "dense");
  }

  @Test
  void theWorstSampleDecidesAboutTheTolerance() {
    Choice lucky = new Choice("lucky", Map.of(), 5, 0.1, 0.01, 0.01, 0.5, 1, 1);
    assertThat(patterns(new Tolerance(0.1), head(choice("dense", 100, 0), lucky)))
        .containsExactly("dense");
  }

  @Test
  void budgetGoesWhereItHelpsMost() {
    HeadChoices easy =
        head(choice("dense", 100, 0), choice("good", 40, 0.01), choice("cheap", 10, 0.02));
    assertThat(patterns(new Speedup(4, 0), HEAD, easy)).containsExactly("good", "cheap");
  }

  /** What a price finds is the best of all that cost no more; the rest is spent for the better. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void noOtherTradeOfThatCostIsBetter(long seed) {
    Random random = new Random(seed);
    List<HeadChoices> heads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      List<Choice> choices = new ArrayList<>(List.of(choice("dense", 100, 0)));
      for (int j = 0; j < 4; j++) {
        choices.add(choice("p" + j, 5 + random.nextInt(60), random.nextDouble()));
      }
      heads.add(head(choices.toArray(Choice[]::new)));
    }
    double budget = 400 / 3.0;
    List<Choice> priced = Trade.atLowestPrice(heads, budget);
    assertThat(error(priced)).isLessThanOrEqualTo(best(heads, 0, cost(priced), 0) + 1e-9);
    List<Choice> chosen = Trade.choose(heads, new Speedup(3, 0));
    assertThat(cost(chosen)).isLessThanOrEqualTo(budget);
    assertThat(error(chosen))
        .isLessThanOrEqualTo(error(priced))
        .isGreaterThanOrEqualTo(best(heads, 0, budget, 0) - 1e-9);
  }

  @Test
  void whatCannotBeReachedIsMadeAsCheapAsItGets() {
    assertThat(patterns(new Speedup(1000, 0), HEAD, HEAD)).containsExactly("cheap", "cheap");
  }

  @Test
  void denseGrowsWithTheSquareOfTheLength() {
    HeadChoices longer = HEAD.atLength(4);
    assertThat(longer.denseNanos()).isEqualTo(1600);
    assertThat(longer.choices()).extracting(Choice::nanos).containsExactly(1600.0, 160.0, 40.0);
    assertThat(patterns(new Speedup(9, 0), HEAD)).containsExactly("cheap");
    assertThat(patterns(new Speedup(9, 0), longer)).containsExactly("good");
  }

  @Test
  void errorsCountByTheWeightOfTheirHead() {
    HeadChoices heavy = HEAD.weighed(new HeadWeight(0, 0, 0.1, 0.1, 0.5, 0.5));
    HeadChoices light = HEAD.weighed(new HeadWeight(0, 1, 0.1, 0.1, 1e-4, 1e-4));
    assertThat(patterns(new Speedup(4, 0), light, heavy)).containsExactly("cheap", "good");
    assertThat(patterns(new Speedup(4, 0), heavy, light)).containsExactly("good", "cheap");
  }

  @Test
  void goalsHaveRanges() {
    assertThatThrownBy(() -> new Speedup(0.5, 0)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> new Speedup(Double.NaN, 0)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> new Tolerance(1.1)).isInstanceOf(InvalidInputException.class);
  }

  /** The least error of {@code heads} from {@code from} on within a cost, by trying everything. */
  private static double best(List<HeadChoices> heads, int from, double budget, double error) {
    if (budget < -1e-9) {
      return Double.POSITIVE_INFINITY;
    }
    if (from == heads.size()) {
      return error;
    }
    double least = Double.POSITIVE_INFINITY;
    for (Choice choice : heads.get(from).choices()) {
      double squared = choice.meanError() * choice.meanError();
      least = Math.min(least, best(heads, from + 1, budget - choice.nanos(), error + squared));
    }
    return least;
  }

  private static double cost(List<Choice> choices) {
    return choices.stream().mapToDouble(Choice::nanos).sum();
  }

  private static double error(List<Choice> choices) {
    return choices.stream().mapToDouble(choice -> choice.meanError() * choice.meanError()).sum();
  }

  private static List<String> patterns(SearchGoal goal, HeadChoices... heads) {
    return Trade.choose(List.of(heads), goal).stream().map(Choice::pattern).toList();
  }

  private static HeadChoices head(Choice... choices) {
    return new HeadChoices(0, 0, 100, 0, 1, List.of(choices));
  }

  private static Choice choice(String pattern, double nanos, double error) {
    return new Choice(pattern, Map.of(), nanos, nanos / 100, error, error, error, 1, 1);
  }
}
