package dev.heddle.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.search.CandidateFitter.Fitted;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CandidateFitterTest {
  private static final KernelCosts COSTS =
      new KernelCosts(100, 64, 1, new TreeMap<>(Map.of("stripes", 2.0)));

  private final RandomHead random = new RandomHead(4096, 16);
  private final double dense = COSTS.denseNanos(random.inputs().shape(), random.inputs().blocks());

  @AfterEach
  void free() {
    random.close();
  }

  @Test
  void meetsEachBudget() {
    List<Double> budgets = List.of(0.3 * dense, 0.45 * dense, 0.6 * dense);
    List<Fitted> fitted = fit(budgets);
    assertThat(fitted).hasSize(3);
    for (int i = 0; i < 3; i++) {
      assertThat(fitted.get(i).nanos()).isBetween(0.85 * budgets.get(i), 1.02 * budgets.get(i));
      assertThat(fitted.get(i).nanos()).isEqualTo(COSTS.nanos(fitted.get(i).index(), "stripes"));
    }
  }

  @Test
  void whatCannotMeetABudgetIsLeftOut() {
    assertThat(fit(List.of(0.0001 * dense, 0.5 * dense))).hasSize(1);
  }

  @Test
  void countsRowsBlocksColumnsAndTheIndex() {
    Fitted fitted = fit(List.of(0.5 * dense)).getFirst();
    double nanos = 2.0 * 4096;
    for (int row = 0; row < fitted.index().rows(); row++) {
      nanos += 100 + 64 * fitted.index().blockCount(row) + fitted.index().columnCount(row);
    }
    assertThat(fitted.nanos()).isEqualTo(nanos);
  }

  @Test
  void builtInPatternsReadMoreWithALargerBudget() {
    for (PatternRegistry.Entry entry : PatternRegistry.discover().entries()) {
      SparsePattern pattern = entry.pattern();
      if (pattern.name().equals(PatternRegistry.DENSE)) {
        continue;
      }
      assertThat(pattern.candidates(random.inputs().shape()))
          .isNotEmpty()
          .allSatisfy(options -> {
            double small = density(pattern, pattern.resized(options, 0.05));
            double large = density(pattern, pattern.resized(options, 0.3));
            assertThat(small).as("%s %s", pattern.name(), options).isLessThan(large);
          });
    }
  }

  private double density(SparsePattern pattern, Options options) {
    return IndexBuilding.index(new Candidate(pattern, options), random.inputs()).density();
  }

  private List<Fitted> fit(List<Double> budgets) {
    StripesPattern pattern = new StripesPattern();
    Candidate candidate =
        new Candidate(pattern, pattern.candidates(random.inputs().shape()).getFirst());
    return new CandidateFitter(random.inputs(), COSTS).fit(candidate, budgets);
  }
}
