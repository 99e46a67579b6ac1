package dev.heddle.search;

import dev.heddle.search.SearchGoal.Speedup;
import dev.heddle.search.SearchGoal.Tolerance;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Chooses for all heads together. */
final class Trade {
  private static final int HALVINGS = 100;

  private Trade() {}

  /** One choice for each of {@code heads}. */
  static List<Choice> choose(List<HeadChoices> heads, SearchGoal goal) {
    return switch (goal) {
      case Tolerance tolerance ->
          heads.stream().map(head -> cheapest(head, tolerance.error())).toList();
      case Speedup speedup -> withinBudget(heads, speedup.factor());
    };
  }

  /** What keeps to the tolerance on every sample; dense does. */
  private static Choice cheapest(HeadChoices head, double tolerance) {
    return head.choices().stream()
        .filter(choice -> choice.worstError() <= tolerance)
        .min(Comparator.comparingDouble(Choice::nanos).thenComparingDouble(Choice::worstError))
        .orElseThrow();
  }

  private static List<Choice> withinBudget(List<HeadChoices> heads, double factor) {
    double budget = heads.stream().mapToDouble(HeadChoices::denseNanos).sum() / factor;
    return filled(heads, atLowestPrice(heads, budget), budget);
  }

  /**
   * The least sum of losses within the budget, as far as a price per nanosecond finds it: for a
   * price each head takes the least of {@code weight · error² + price · nanos}, and the price is
   * the lowest at which all stay within the budget.
   */
  static List<Choice> atLowestPrice(List<HeadChoices> heads, double budget) {
    double low = 0;
    double high = 1;
    if (nanos(atPrice(heads, high)) > budget) {
      return atPrice(heads, high); // everything as cheap as it gets
    }
    for (int i = 0; i < HALVINGS; i++) {
      double middle = (low + high) / 2;
      if (nanos(atPrice(heads, middle)) > budget) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return atPrice(heads, high);
  }

  /** Spends what is left where it lowers the loss most for its cost. */
  private static List<Choice> filled(List<HeadChoices> heads, List<Choice> chosen, double budget) {
    List<Choice> better = new ArrayList<>(chosen);
    while (true) {
      double left = budget - nanos(better);
      int best = -1;
      double bestRatio = 0;
      Choice bestChoice = better.getFirst();
      for (int i = 0; i < heads.size(); i++) {
        Choice now = better.get(i);
        for (Choice choice : heads.get(i).choices()) {
          double more = choice.nanos() - now.nanos();
          double gain = heads.get(i).loss(now) - heads.get(i).loss(choice);
          if (more <= left && gain > 0 && gain / Math.max(more, 1) > bestRatio) {
            bestRatio = gain / Math.max(more, 1);
            best = i;
            bestChoice = choice;
          }
        }
      }
      if (best < 0) {
        return better;
      }
      better.set(best, bestChoice);
    }
  }

  private static List<Choice> atPrice(List<HeadChoices> heads, double pricePerNano) {
    return heads.stream().map(head -> least(head, pricePerNano)).toList();
  }

  private static Choice least(HeadChoices head, double pricePerNano) {
    return head.choices().stream()
        .min(
            Comparator.comparingDouble(
                    (Choice choice) -> head.loss(choice) + pricePerNano * choice.nanos())
                .thenComparingDouble(Choice::nanos))
        .orElseThrow();
  }

  private static double nanos(List<Choice> choices) {
    return choices.stream().mapToDouble(Choice::nanos).sum();
  }
}
