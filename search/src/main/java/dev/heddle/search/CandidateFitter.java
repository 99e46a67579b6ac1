package dev.heddle.search;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Options;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Resizes a candidate until what it really costs on one head, counted on the index that it builds
 * there, meets a budget.
 */
final class CandidateFitter {
  private static final int MOST_TRIES = 5;

  /** A candidate meets a budget that it exceeds by this share. */
  private static final double OVER = 0.02;

  /** A candidate that falls short of its budget by this share is enlarged no further. */
  private static final double UNDER = 0.08;

  private static final double SMALLEST = 1e-4;
  private static final double LARGEST = 1e3;

  private final HeadInputs head;
  private final KernelCosts costs;

  CandidateFitter(HeadInputs head, KernelCosts costs) {
    this.head = head;
    this.costs = costs;
  }

  /**
   * A candidate that meets a budget.
   *
   * @param index what it builds on this head
   */
  record Fitted(Candidate candidate, BlockIndex index, double nanos) {}

  /** {@code candidate} resized to each of {@code budgets} that it can meet. */
  List<Fitted> fit(Candidate candidate, List<Double> budgets) {
    NavigableMap<Double, Fitted> tried = new TreeMap<>();
    tryFactor(candidate, 1, tried);
    List<Fitted> fitted = new ArrayList<>();
    for (double budget : budgets) {
      fit(candidate, budget, tried).ifPresent(fitted::add);
    }
    return fitted;
  }

  private Optional<Fitted> fit(
      Candidate candidate, double budget, NavigableMap<Double, Fitted> tried) {
    for (int i = 0; i < MOST_TRIES; i++) {
      Optional<Fitted> best = best(budget, tried);
      if (best.isPresent() && best.get().nanos() >= budget * (1 - UNDER)) {
        return best;
      }
      double factor = next(budget, tried);
      if (tried.containsKey(factor)) {
        break;
      }
      tryFactor(candidate, factor, tried);
    }
    return best(budget, tried);
  }

  private static Optional<Fitted> best(double budget, NavigableMap<Double, Fitted> tried) {
    return tried.values().stream()
        .filter(fitted -> fitted.nanos() <= budget * (1 + OVER))
        .reduce((a, b) -> b.nanos() > a.nanos() ? b : a);
  }

  /** Between the nearest factors on both sides, as if cost were a straight line there. */
  private static double next(double budget, NavigableMap<Double, Fitted> tried) {
    Map.Entry<Double, Fitted> below = null;
    Map.Entry<Double, Fitted> above = null;
    for (Map.Entry<Double, Fitted> entry : tried.entrySet()) {
      if (entry.getValue().nanos() <= budget) {
        below = entry;
      } else if (above == null) {
        above = entry;
      }
    }
    if (below == null) {
      double least = tried.firstEntry().getValue().nanos();
      return Math.max(SMALLEST, tried.firstKey() * Math.min(0.5, 0.9 * budget / least));
    }
    if (above == null) {
      double most = tried.lastEntry().getValue().nanos();
      return Math.min(LARGEST, tried.lastKey() * Math.max(1.5, budget / most));
    }
    double low = below.getValue().nanos();
    double share = (0.98 * budget - low) / (above.getValue().nanos() - low);
    return below.getKey() + Math.clamp(share, 0.1, 0.9) * (above.getKey() - below.getKey());
  }

  private void tryFactor(Candidate candidate, double factor, NavigableMap<Double, Fitted> tried) {
    Options options = candidate.pattern().resized(candidate.options(), factor);
    Candidate resized = new Candidate(candidate.pattern(), options);
    BlockIndex index = IndexBuilding.index(resized, head);
    tried.put(factor, new Fitted(resized, index, costs.nanos(index, candidate.pattern().name())));
  }
}
