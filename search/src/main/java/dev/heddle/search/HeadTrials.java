package dev.heddle.search;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Options;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.PatternFailedException;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.Prefill;
import dev.heddle.search.CandidateFitter.Fitted;
import dev.heddle.search.SearchState.HeadRecord;
import dev.heddle.search.SearchState.Place;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/** Tries candidates on one head after the other. A pattern that fails takes no further part. */
final class HeadTrials {
  private final PatternRegistry registry;
  private final HeadMeter meter;
  private final KernelCosts costs;
  private final int threads;
  private final Consumer<String> notes;
  private final Set<String> failedPatterns = new HashSet<>();

  HeadTrials(
      PatternRegistry registry,
      HeadMeter meter,
      KernelCosts costs,
      int threads,
      Consumer<String> notes) {
    this.registry = registry;
    this.meter = meter;
    this.costs = costs;
    this.threads = threads;
    this.notes = notes;
  }

  /** One head of a layer whose attention has just been computed. */
  static HeadInputs inputs(Place place, ModelShape model, Prefill attention) {
    int tokens = attention.queries().tokens();
    int keyValueHead = place.head() * model.keyValueHeads() / model.queryHeads();
    return new HeadInputs(
        new AttentionShape(1, 1, tokens, tokens, model.headDim()),
        BlockShape.DEFAULT,
        place.layer(),
        place.head(),
        attention.queries().head(place.head()),
        attention.keys().head(keyValueHead),
        attention.values().head(keyValueHead),
        attention.softmaxScale());
  }

  /** Resizes each of {@code candidates} to shares of what dense costs, and measures the results. */
  HeadRecord fitAndMeasure(
      Place place, HeadInputs head, List<Candidate> candidates, List<Double> shares) {
    double denseNanos = costs.denseNanos(head.shape(), head.blocks());
    List<Double> budgets = shares.stream().map(share -> share * denseNanos).toList();
    CandidateFitter fitter = new CandidateFitter(head, costs);
    Map<Candidate, Fitted> distinct = new LinkedHashMap<>();
    inParallel(candidates, candidate -> fitter.fit(candidate, budgets))
        .forEach(fitted -> distinct.putIfAbsent(fitted.candidate(), fitted));
    return measure(place, head, List.copyOf(distinct.values()));
  }

  /** Measures what was measured on another sample. */
  HeadRecord measureAgain(Place place, HeadInputs head, HeadRecord other) {
    List<Candidate> candidates =
        other.measured().stream()
            .filter(one -> !failedPatterns.contains(one.pattern()))
            .map(one -> candidate(one.pattern(), one.options()))
            .toList();
    return measure(place, head, inParallel(candidates, candidate -> asItIs(candidate, head)));
  }

  private Candidate candidate(String pattern, Map<String, Object> options) {
    return new Candidate(
        registry.get(pattern), Options.of(registry.get(pattern).options(), options));
  }

  private List<Fitted> asItIs(Candidate candidate, HeadInputs head) {
    BlockIndex index = IndexBuilding.index(candidate, head);
    return List.of(new Fitted(candidate, index, costs.nanos(index, candidate.pattern().name())));
  }

  private HeadRecord measure(Place place, HeadInputs head, List<Fitted> all) {
    meter.dense(head);
    List<Measured> measured = new ArrayList<>();
    for (Fitted fitted : all) {
      HeadMeter.Closeness closeness = meter.compare(head, fitted.index());
      measured.add(
          new Measured(
              fitted.candidate().pattern().name(),
              fitted.candidate().options().toMap(),
              fitted.nanos(),
              fitted.index().density(),
              closeness.error(),
              closeness.tailError(),
              closeness.recall(),
              closeness.tailRecall()));
    }
    return new HeadRecord(place, costs.denseNanos(head.shape(), head.blocks()), measured);
  }

  /** What came of a candidate: results, or the failure of its pattern. */
  private record Outcome(List<Fitted> fitted, Optional<PatternFailedException> failure) {}

  private List<Fitted> inParallel(
      List<Candidate> candidates, Function<Candidate, List<Fitted>> work) {
    List<Outcome> outcomes =
        IndexTasks.map(threads, candidates.size(), i -> outcome(candidates.get(i), work));
    for (Outcome outcome : outcomes) {
      outcome
          .failure()
          .filter(failed -> failedPatterns.add(failed.pattern()))
          .ifPresent(failed -> notes.accept(failed.getMessage() + "; it takes no further part"));
    }
    return outcomes.stream()
        .flatMap(outcome -> outcome.fitted().stream())
        .filter(fitted -> !failedPatterns.contains(fitted.candidate().pattern().name()))
        .toList();
  }

  private static Outcome outcome(Candidate candidate, Function<Candidate, List<Fitted>> work) {
    try {
      return new Outcome(work.apply(candidate), Optional.empty());
    } catch (PatternFailedException failed) {
      return new Outcome(List.of(), Optional.of(failed));
    }
  }
}
