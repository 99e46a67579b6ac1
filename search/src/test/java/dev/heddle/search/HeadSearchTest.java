package dev.heddle.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Backends;
import dev.heddle.llm.LlamaModel;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.SparseAttention;
import dev.heddle.search.HeadSearch.Engines;
import dev.heddle.search.HeadSearch.Material;
import dev.heddle.search.SearchGoal.Speedup;
import dev.heddle.search.SearchGoal.Tolerance;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/** Searches the bundled model on very short samples. */
@TestInstance(Lifecycle.PER_CLASS)
class HeadSearchTest {
  private static final Path MODEL = Path.of("../models/byte-llama-5m");
  private static final int HEADS = 48;

  /** Costs that are given make a search repeatable in every digit. */
  private static final KernelCosts COSTS =
      new KernelCosts(100, 11_000, 180, new TreeMap<>(Map.of("a-shape", 0.1, "stripes", 0.1)));

  private static final SearchPlan PLAN =
      SearchPlan.of(new Speedup(1.5, 0)).withBudgets(List.of(0.5, 0.8)).withCosts(COSTS);

  private LlamaModel model = LlamaModel.open(MODEL, LlamaModel.Settings.standard());
  private AttentionBackend backend = Backends.standard().open("vector", 2);
  private final StripesPattern stripes = new StripesPattern();
  private final List<String> notes = new ArrayList<>();

  @BeforeAll
  void thereIsAModel() {
    assertThat(model.attentionShape().layers() * model.attentionShape().queryHeads())
        .isEqualTo(HEADS);
  }

  @AfterAll
  void close() {
    backend.close();
    model.close();
  }

  @Test
  void everyHeadIsChosenAndRemarkedOn(@TempDir Path folder) {
    SearchResult result = run(registry(stripes), PLAN, folder, StepListener.SILENT);

    assertThat(result.heads()).hasSize(HEADS);
    assertThat(result.speedup()).isGreaterThanOrEqualTo(1.5);
    HeadsConfig heads = result.toHeads(Map.of("model", "bundled"));
    assertThat(HeadsConfig.parse(heads.toJson(), "found.json")).isEqualTo(heads);
    assertThat(heads.notes()).containsEntry("model", "bundled");
    assertThat(heads.entryNotes())
        .hasSize(HEADS)
        .allSatisfy(note -> assertThat(note).containsKeys("recall", "error", "costOfDense"));
    assertThat(result.heads().getFirst().choices())
        .extracting(Choice::pattern)
        .contains("dense", "stripes", "a-shape");
    assertThat(notes).isEmpty();
  }

  @Test
  void theSameSearchFindsTheSame(@TempDir Path first, @TempDir Path second) {
    String once =
        run(registry(stripes), PLAN, first, StepListener.SILENT).toHeads(Map.of()).toJson();
    String twice =
        run(registry(stripes), PLAN, second, StepListener.SILENT).toHeads(Map.of()).toJson();
    assertThat(twice).isEqualTo(once);
  }

  @Test
  void aSearchThatWasEndedGoesOn(@TempDir Path folder, @TempDir Path other) {
    int[] steps = {0};
    StepListener ends =
        (_, _) -> {
          if (++steps[0] == 60) { // in the second sample
            throw new IllegalStateException("ended");
          }
        };
    assertThatThrownBy(() -> run(registry(stripes), PLAN, folder, ends)).hasMessage("ended");

    StripesPattern counted = new StripesPattern();
    SearchResult resumed = run(registry(counted), PLAN, folder, StepListener.SILENT);
    StripesPattern all = new StripesPattern();
    SearchResult whole = run(registry(all), PLAN, other, StepListener.SILENT);

    assertThat(resumed.toHeads(Map.of()).toJson()).isEqualTo(whole.toHeads(Map.of()).toJson());
    assertThat(counted.built()).isPositive().isLessThan(all.built() / 2);
  }

  @Test
  void anotherGoalNeedsNoMeasuring(@TempDir Path folder) {
    run(registry(stripes), PLAN, folder, StepListener.SILENT);
    StripesPattern counted = new StripesPattern();
    SearchPlan other =
        new SearchPlan(
            PLAN.budgets(), PLAN.tailQueries(), List.of(), new Tolerance(0.05), PLAN.costs());
    SearchResult result = run(registry(counted), other, folder, StepListener.SILENT);
    assertThat(counted.built()).isZero();
    assertThat(result.chosen()).allMatch(choice -> choice.worstError() <= 0.05);
  }

  @Test
  void aPatternThatFailsTakesNoPart(@TempDir Path folder) {
    SearchResult result = run(registry(new FailingPattern()), PLAN, folder, StepListener.SILENT);
    assertThat(notes).hasSize(1);
    assertThat(notes.getFirst())
        .contains("pattern 'failing', layer 0, head 0", "no luck", "takes no further part");
    assertThat(result.heads())
        .allSatisfy(head ->
            assertThat(head.choices()).extracting(Choice::pattern).doesNotContain("failing"));
  }

  @Test
  void onlyNamedPatternsAreChosenAndNothingIsMeasuredAgain(@TempDir Path folder) {
    run(registry(stripes), PLAN, folder, StepListener.SILENT);
    StripesPattern counted = new StripesPattern();
    SearchPlan plan = PLAN.withPatterns(List.of("a-shape"));
    SearchResult result = run(registry(counted), plan, folder, StepListener.SILENT);
    assertThat(result.chosen()).extracting(Choice::pattern).isSubsetOf("dense", "a-shape");
    assertThat(result.heads().getFirst().choices()).extracting(Choice::pattern).contains("stripes");
    assertThat(counted.built()).isZero();
  }

  @Test
  void headsAreWeighedByWhatTheyDoToTheModel(@TempDir Path folder) {
    SearchResult result = run(registry(stripes), PLAN, folder, StepListener.SILENT);
    assertThat(result.heads()).allMatch(head -> head.answerWeight() > 0);
    assertThat(result.heads().stream().mapToDouble(HeadChoices::answerWeight).distinct().count())
        .isGreaterThan(HEADS / 2);
    assertThat(result.loss().orElseThrow()).isPositive();
  }

  @Test
  void refusesWhatCannotBeSearched(@TempDir Path folder) {
    assertThatThrownBy(() -> new Material("model", List.of(), SearchSample.of(new int[] {1, 2})))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> SearchSample.of(new int[] {1}))
        .isInstanceOf(InvalidInputException.class);
    PatternRegistry nothing = PatternRegistry.builder().build();
    assertThatThrownBy(() -> run(nothing, PLAN, folder, StepListener.SILENT))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no pattern to search");
    SearchPlan unknown = PLAN.withPatterns(List.of("none"));
    assertThatThrownBy(() -> run(registry(stripes), unknown, folder, StepListener.SILENT))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("none");
    assertThatThrownBy(() -> PLAN.withBudgets(List.of(1.5)))
        .isInstanceOf(InvalidInputException.class);
  }

  private static PatternRegistry registry(SparsePattern third) {
    return PatternRegistry.builder().discover().add(third).build();
  }

  private SearchResult run(
      PatternRegistry registry, SearchPlan plan, Path folder, StepListener listener) {
    Random random = new Random(5);
    List<SearchSample> samples =
        List.of(
            SearchSample.of(random.ints(400, 97, 123).toArray()),
            SearchSample.of(random.ints(350, 97, 123).toArray()));
    Engines engines =
        new Engines(
            heads ->
                SparseAttention.builder()
                    .registry(registry)
                    .heads(heads)
                    .backend("vector")
                    .denseBelow(0)
                    .build(),
            backend,
            2);
    return new HeadSearch(model, engines, registry, notes::add)
        .run(
            new Material("bundled", samples, samples.getLast()),
            plan,
            folder.resolve("state"),
            listener);
  }

  /** Builds no index. */
  private static final class FailingPattern implements SparsePattern {
    @Override
    public String name() {
      return "failing";
    }

    @Override
    public String description() {
      return "fails, for tests";
    }

    @Override
    public List<Option<?>> options() {
      return List.of();
    }

    @Override
    public BlockIndex index(HeadInputs head, Options options) {
      throw new IllegalStateException("no luck");
    }
  }
}
