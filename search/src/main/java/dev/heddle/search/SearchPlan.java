package dev.heddle.search;

import dev.heddle.api.InvalidInputException;
import java.util.List;
import java.util.Optional;

/**
 * How a search is done.
 *
 * @param budgets what candidates are resized to, as shares of what dense attention of a head costs,
 *     rising
 * @param tailQueries queries at the end of each sample that are looked at apart: the question
 * @param patterns names of the patterns that may be chosen; all that there are if empty. All are
 *     measured, so that another choice from the same state takes no time
 * @param goal what the whole is to reach
 * @param costs what attention costs on this machine; measured if empty
 */
public record SearchPlan(
    List<Double> budgets,
    int tailQueries,
    List<String> patterns,
    SearchGoal goal,
    Optional<KernelCosts> costs) {
  private static final List<Double> BUDGETS =
      List.of(0.05, 0.07, 0.09, 0.12, 0.16, 0.22, 0.3, 0.45);
  private static final int TAIL_QUERIES = 64;

  /**
   * Checks the numbers.
   *
   * @throws InvalidInputException naming the one that is out of range
   */
  public SearchPlan {
    budgets = budgets.stream().sorted().distinct().toList();
    patterns = List.copyOf(patterns);
    if (budgets.isEmpty() || budgets.stream().anyMatch(share -> !(share > 0 && share < 1))) {
      throw new InvalidInputException(
          "the budgets are %s; allowed: at least one, each between 0 and 1".formatted(budgets));
    }
    if (tailQueries < 1) {
      throw new InvalidInputException(
          "tailQueries is " + tailQueries + "; allowed: an integer from 1");
    }
  }

  /** All patterns, the usual budgets, costs measured. */
  public static SearchPlan of(SearchGoal goal) {
    return new SearchPlan(BUDGETS, TAIL_QUERIES, List.of(), goal, Optional.empty());
  }

  /** The same with {@code names} alone, or all patterns if there are none. */
  public SearchPlan withPatterns(List<String> names) {
    return new SearchPlan(budgets, tailQueries, names, goal, costs);
  }

  /** The same with other budgets. */
  public SearchPlan withBudgets(List<Double> shares) {
    return new SearchPlan(shares, tailQueries, patterns, goal, costs);
  }

  /** The same with costs that were measured before. */
  public SearchPlan withCosts(KernelCosts measured) {
    return new SearchPlan(budgets, tailQueries, patterns, goal, Optional.of(measured));
  }
}
