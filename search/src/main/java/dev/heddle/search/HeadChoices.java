package dev.heddle.search;

import dev.heddle.search.SearchState.HeadRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What one head may use, over all samples.
 *
 * @param denseNanos what dense attention costs: mean of the samples
 * @param spreadWeight what an error over all queries does to the model's predictions along the
 *     prompt: loss per squared error; 0 where that was not measured
 * @param answerWeight what an error over all queries or the last ones does to its answers; 1 where
 *     that was not measured
 * @param choices dense first
 */
public record HeadChoices(
    int layer,
    int head,
    double denseNanos,
    double spreadWeight,
    double answerWeight,
    List<Choice> choices) {
  private static final String DENSE = "dense";

  public HeadChoices {
    choices = List.copyOf(choices);
  }

  /** Puts together what was measured of one head on each sample. */
  static HeadChoices of(List<HeadRecord> samples) {
    HeadRecord first = samples.getFirst();
    double denseNanos =
        samples.stream().mapToDouble(HeadRecord::denseNanos).average().orElseThrow();
    List<Choice> choices = new ArrayList<>();
    choices.add(new Choice(DENSE, Map.of(), denseNanos, 1, 0, 0, 0, 1, 1));
    for (Measured measured : first.measured()) {
      List<Measured> everywhere =
          samples.stream()
              .flatMap(sample -> sample.measured().stream())
              .filter(other ->
                  other.pattern().equals(measured.pattern())
                      && other.options().equals(measured.options()))
              .toList();
      if (everywhere.size() == samples.size()) {
        choices.add(choice(everywhere));
      }
    }
    return new HeadChoices(first.place().layer(), first.place().head(), denseNanos, 0, 1, choices);
  }

  /** The same with a weight. */
  HeadChoices weighed(HeadWeight measured) {
    return new HeadChoices(
        layer, head, denseNanos, measured.spreadWeight(), measured.answerWeight(), choices);
  }

  /** The same with the choices of {@code patterns} and dense alone; all if none are named. */
  HeadChoices only(List<String> patterns) {
    return new HeadChoices(
        layer,
        head,
        denseNanos,
        spreadWeight,
        answerWeight,
        choices.stream()
            .filter(choice ->
                patterns.isEmpty()
                    || choice.pattern().equals(DENSE)
                    || patterns.contains(choice.pattern()))
            .toList());
  }

  /**
   * What is to be expected at {@code factor} times the samples' length: what a head reads by its
   * pattern grows with the length, and dense with its square.
   */
  HeadChoices atLength(double factor) {
    return new HeadChoices(
        layer,
        head,
        denseNanos * factor * factor,
        spreadWeight,
        answerWeight,
        choices.stream()
            .map(choice ->
                choice.withNanos(
                    choice.nanos() * (choice.pattern().equals(DENSE) ? factor * factor : factor)))
            .toList());
  }

  /** The loss that is to be expected of {@code choice}. */
  double loss(Choice choice) {
    return spreadWeight * choice.wholeError() * choice.wholeError()
        + answerWeight * choice.meanError() * choice.meanError();
  }

  /** The choice of the least error that costs at most {@code share} of dense, or the cheapest. */
  Choice best(double share) {
    return choices.stream()
        .filter(choice -> choice.nanos() <= share * denseNanos)
        .min(Comparator.comparingDouble(Choice::meanError).thenComparingDouble(Choice::nanos))
        .orElseGet(
            () -> choices.stream().min(Comparator.comparingDouble(Choice::nanos)).orElseThrow());
  }

  private static Choice choice(List<Measured> samples) {
    Measured first = samples.getFirst();
    return new Choice(
        first.pattern(),
        first.options(),
        mean(samples, Measured::nanos),
        mean(samples, Measured::density),
        mean(samples, Measured::error),
        mean(samples, Choice::error),
        samples.stream().mapToDouble(Choice::error).max().orElse(0),
        mean(samples, Measured::recall),
        samples.stream()
            .mapToDouble(one -> Math.min(one.recall(), one.tailRecall()))
            .min()
            .orElse(1));
  }

  private static double mean(List<Measured> samples, ToDoubleFunction<Measured> value) {
    return samples.stream().mapToDouble(value).average().orElse(0);
  }
}
