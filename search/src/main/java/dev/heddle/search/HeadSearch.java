package dev.heddle.search;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.llm.KeyValueCache;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.PrefillProgress;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.Prefill;
import dev.heddle.runtime.SparseAttention;
import dev.heddle.search.SearchState.HeadRecord;
import dev.heddle.search.SearchState.Place;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Measures what each pattern does on each head of a model while the model reads samples densely,
 * and chooses.
 *
 * <p>A layer's heads are looked at while the layer is in memory: nothing of a sample is kept but
 * what was measured. On the first sample the candidates are resized to the budgets; on the others
 * they are measured as they are. Outputs are compared over all queries, and over the last ones
 * apart.
 *
 * <p>What an error of a head's output does to the model differs from head to head. So each head is
 * then made sparse alone while the model reads another sample, and what follows it, and the change
 * of the predictions weighs the head's errors in the trade between heads.
 */
public final class HeadSearch {
  /** What a head may cost, as a share of dense, when its weight is measured. */
  private static final double WEIGHED_SHARE = 0.1;

  private final LlamaModel model;
  private final Engines engines;
  private final PatternRegistry registry;
  private final Consumer<String> notes;

  /**
   * Makes a search; all parts stay the caller's to close.
   *
   * @param notes is told, in a line each, what was lost and which patterns failed
   */
  public HeadSearch(
      LlamaModel model, Engines engines, PatternRegistry registry, Consumer<String> notes) {
    this.model = model;
    this.engines = engines;
    this.registry = registry;
    this.notes = notes;
  }

  /**
   * Who computes.
   *
   * @param open opens the attention of a whole model, in which every head computes what its pattern
   *     says, however short the prompt
   * @param backend computes the heads that are tried
   * @param threads threads that indices are built on
   */
  public record Engines(
      Function<HeadsConfig, SparseAttention> open, AttentionBackend backend, int threads) {}

  /**
   * What is read.
   *
   * @param modelName names the model's weights, so that a state is not continued with others
   * @param samples what heads are measured on
   * @param weighing what the model reads once for each head, to tell what the head's errors do; may
   *     be shorter
   */
  public record Material(String modelName, List<SearchSample> samples, SearchSample weighing) {
    /**
     * Checks that there is a sample.
     *
     * @throws InvalidInputException if there is none
     */
    public Material {
      samples = List.copyOf(samples);
      if (samples.isEmpty()) {
        throw new InvalidInputException("a search needs at least one sample");
      }
    }
  }

  /**
   * Searches.
   *
   * @param stateFile where what was measured is kept, so that a search that was ended goes on
   * @throws InvalidInputException if a sample does not suit the model, or the state is another
   *     search's
   */
  public SearchResult run(
      Material material, SearchPlan plan, Path stateFile, StepListener listener) {
    List<SearchSample> samples = material.samples();
    samples.forEach(this::requireReadable);
    requireReadable(material.weighing());
    plan.patterns().forEach(registry::get);
    ModelShape shape = model.attentionShape();
    List<Candidate> candidates = candidates(samples.getFirst().promptTokens());
    String digest =
        new SearchDigest(material.modelName(), shape, engines.backend().name())
            .of(material, plan, candidates);
    int longest = samples.stream().mapToInt(SearchSample::promptTokens).max().orElse(1);
    try (HeadMeter meter =
            new HeadMeter(engines.backend(), longest, shape.headDim(), plan.tailQueries());
        SearchState state =
            SearchState.resume(stateFile, digest, plan.costs(), notes)
                .orElseGet(() ->
                    SearchState.start(
                        stateFile,
                        new SearchState.Header(
                            digest,
                            costs(plan, candidates, meter, samples.getFirst().promptTokens()))))) {
      HeadTrials trials = new HeadTrials(registry, meter, state.costs(), engines.threads(), notes);
      try (SparseAttention dense = engines.open().apply(dense())) {
        for (int sample = 0; sample < samples.size(); sample++) {
          new SampleReading(sample, samples.size(), plan, candidates, trials, state, listener)
              .read(samples.get(sample), dense);
        }
        List<HeadChoices> heads = heads(state, samples.size());
        if (plan.goal() instanceof SearchGoal.Tolerance) {
          return SearchResult.choose(shape, plan, state.costs(), heads);
        }
        ModelLoss loss = new ModelLoss(model, material.weighing(), dense);
        SearchResult result =
            SearchResult.choose(
                shape,
                plan,
                state.costs(),
                atLength(plan.goal(), samples, weighed(heads, loss, state, listener)));
        try (SparseAttention found = engines.open().apply(result.toHeads(Map.of()))) {
          return result.withLoss(loss.of(found).sum());
        }
      }
    }
  }

  private static List<HeadChoices> atLength(
      SearchGoal goal, List<SearchSample> samples, List<HeadChoices> heads) {
    double mean = samples.stream().mapToInt(SearchSample::promptTokens).average().orElseThrow();
    return goal instanceof SearchGoal.Speedup speedup && speedup.tokens() > 0
        ? heads.stream().map(head -> head.atLength(speedup.tokens() / mean)).toList()
        : heads;
  }

  /** Makes each head sparse alone, and measures what that does to the model's predictions. */
  private List<HeadChoices> weighed(
      List<HeadChoices> heads, ModelLoss loss, SearchState state, StepListener listener) {
    List<HeadChoices> weighed = new ArrayList<>();
    for (HeadChoices head : heads) {
      if (state.weight(head.layer(), head.head()).isEmpty()) {
        Choice choice = head.best(WEIGHED_SHARE);
        HeadsConfig alone =
            HeadsConfig.builder(model.attentionShape())
                .defaults(PatternRegistry.DENSE, Map.of())
                .assign("" + head.layer(), "" + head.head(), choice.pattern(), choice.options())
                .build();
        try (SparseAttention attention = engines.open().apply(alone)) {
          ModelLoss.Loss measured = loss.of(attention);
          state.add(
              new HeadWeight(
                  head.layer(),
                  head.head(),
                  choice.wholeError(),
                  choice.meanError(),
                  measured.spread(),
                  measured.answers()));
        }
      }
      weighed.add(head.weighed(state.weight(head.layer(), head.head()).orElseThrow()));
      listener.onStep("weighing heads", (double) weighed.size() / heads.size());
    }
    return weighed;
  }

  private void requireReadable(SearchSample sample) {
    model.requireReadable(sample.promptTokens(), sample.tokens() - sample.promptTokens());
    if (sample.tokens() > model.maxTokens()) {
      throw new InvalidInputException(
          "a sample of %d tokens with what follows it is too long; allowed: %d"
              .formatted(sample.tokens(), model.maxTokens()));
    }
  }

  private HeadsConfig dense() {
    return HeadsConfig.uniform(model.attentionShape(), PatternRegistry.DENSE, Map.of());
  }

  private KernelCosts costs(
      SearchPlan plan, List<Candidate> candidates, HeadMeter meter, int tokens) {
    return plan.costs()
        .orElseGet(() -> {
          try (RandomHead head = new RandomHead(tokens, model.attentionShape().headDim())) {
            HeadTimer timer =
                new HeadTimer(engines.backend(), meter, head.inputs(), engines.threads());
            return new CostMeter(head.inputs(), timer).measure(candidates);
          }
        });
  }

  private List<Candidate> candidates(int tokens) {
    ModelShape shape = model.attentionShape();
    AttentionShape attention =
        new AttentionShape(
            shape.queryHeads(), shape.keyValueHeads(), tokens, tokens, shape.headDim());
    List<Candidate> candidates = new ArrayList<>();
    for (PatternRegistry.Entry entry : registry.entries()) {
      SparsePattern pattern = entry.pattern();
      if (!pattern.name().equals(PatternRegistry.DENSE)) {
        pattern
            .candidates(attention)
            .forEach(options -> candidates.add(new Candidate(pattern, options)));
      }
    }
    if (candidates.isEmpty()) {
      throw new InvalidInputException("there is no pattern to search but dense");
    }
    return candidates;
  }

  /** All that was measured, by layer and head. */
  private List<HeadChoices> heads(SearchState state, int samples) {
    ModelShape shape = model.attentionShape();
    List<HeadChoices> heads = new ArrayList<>();
    for (int layer = 0; layer < shape.layers(); layer++) {
      for (int head = 0; head < shape.queryHeads(); head++) {
        List<HeadRecord> records = new ArrayList<>();
        for (int sample = 0; sample < samples; sample++) {
          state.get(new Place(sample, layer, head)).ifPresent(records::add);
        }
        heads.add(HeadChoices.of(records));
      }
    }
    return heads;
  }

  /** The reading of one sample, in which heads that have not been measured are. */
  private final class SampleReading implements PrefillProgress {
    private final int sample;
    private final int samples;
    private final SearchPlan plan;
    private final List<Candidate> candidates;
    private final HeadTrials trials;
    private final SearchState state;
    private final StepListener listener;

    SampleReading(
        int sample,
        int samples,
        SearchPlan plan,
        List<Candidate> candidates,
        HeadTrials trials,
        SearchState state,
        StepListener listener) {
      this.sample = sample;
      this.samples = samples;
      this.plan = plan;
      this.candidates = candidates;
      this.trials = trials;
      this.state = state;
      this.listener = listener;
    }

    void read(SearchSample text, SparseAttention dense) {
      if (state.hasAll(sample, model.attentionShape())) {
        return;
      }
      try (KeyValueCache cache = model.newCache(text.promptTokens())) {
        model.prefill(dense, cache, text.prompt(), this);
      }
    }

    @Override
    public void onProgress(int layer, double fraction) {
      // heads are what is counted
    }

    @Override
    public void onAttention(int layer, Prefill attention) {
      ModelShape shape = model.attentionShape();
      int perSample = shape.layers() * shape.queryHeads();
      for (int head = 0; head < shape.queryHeads(); head++) {
        Place place = new Place(sample, layer, head);
        if (state.get(place).isEmpty()) {
          state.add(measure(place, HeadTrials.inputs(place, shape, attention)));
        }
        int done = sample * perSample + layer * shape.queryHeads() + head + 1;
        listener.onStep("searching", (double) done / (samples * perSample));
      }
    }

    private HeadRecord measure(Place place, HeadInputs head) {
      Optional<HeadRecord> first =
          sample == 0 ? Optional.empty() : state.get(new Place(0, place.layer(), place.head()));
      return first
          .map(other -> trials.measureAgain(place, head, other))
          .orElseGet(() -> trials.fitAndMeasure(place, head, candidates, plan.budgets()));
    }
  }
}
