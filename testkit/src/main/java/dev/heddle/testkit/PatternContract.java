package dev.heddle.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.Backends;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What every pattern must do, as JUnit tests. A pattern author extends this class in a test and
 * says which pattern is meant:
 *
 * <pre>{@code
 * class MyPatternContractTest extends PatternContract {
 *   @Override
 *   protected SparsePattern pattern() {
 *     return new MyPattern();
 *   }
 * }
 * }</pre>
 *
 * <p>It checks what holds for any pattern: names and options as declared, a valid index on awkward
 * sizes, the same answer every time, from every thread, layout and element type, for a chunk as for
 * the whole, survival of numbers that are not finite, attention that keeps the numerical rule, a
 * cost that does not grow with the square of the prompt, and on a GPU the same index and rule. A
 * failure names the pattern, its options, the sizes and the seed. That a pattern lists the keys
 * that it promises is for the author's own tests; {@link RequiredCells} helps there.
 */
public abstract class PatternContract {
  private static final long SEED = 20_240_702;
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*");

  /** The pattern that is built into the runtime has this name. */
  private static final String RESERVED = "dense";

  /** A chunk in a shape with groups, for tests that need one shape only. */
  private static final AttentionShape CHUNK = new AttentionShape(4, 2, 150, 301, 16);

  private static final BlockShape SMALL_BLOCKS = new BlockShape(16, 8);

  /** The same for attention: every backend takes this head dim. */
  private static final AttentionShape ATTENTION = new AttentionShape(4, 2, 70, 201, 40);

  private static final int CONSTRUCTIONS = 20;
  private static final Duration LONGEST_CONSTRUCTION = Duration.ofMillis(5);

  /** For subclasses. */
  protected PatternContract() {}

  /** The pattern under test; each call should make a new instance. */
  protected abstract SparsePattern pattern();

  /**
   * The options to try. By default the declared defaults, every integer option at its minimum, and
   * every integer option at a 32nd of its default, which suits prompts of a few hundred tokens.
   */
  protected List<Options> optionsToTry() {
    Options defaults = Options.defaults(pattern().options());
    Options least = defaults;
    Options small = defaults;
    for (Option<?> option : pattern().options()) {
      if (option.minimum() instanceof Integer minimum
          && option.defaultValue() instanceof Integer value) {
        least = least.with(option.name(), minimum);
        small = small.with(option.name(), Math.max(minimum, value / 32));
      }
    }
    return List.of(defaults, least, small);
  }

  /**
   * Options under which the pattern promises dense attention for prompts of {@code keyTokens}; none
   * by default.
   */
  protected List<Options> optionsThatKeepAll(int keyTokens) {
    return List.of();
  }

  /**
   * Whether the last queries of a prompt, given as a chunk that starts at a query block, read the
   * keys that they read when the whole prompt is given. True by default; a pattern that looks at
   * all queries at once says false.
   */
  protected boolean chunksGiveTheRowsOfTheWhole() {
    return true;
  }

  /**
   * Whether the author knows that the time to build an index grows with the square of the prompt,
   * and means it. False by default.
   */
  protected boolean indexCostIsQuadratic() {
    return false;
  }

  /** How long one call of {@code index} on a few hundred tokens may take; 20 seconds by default. */
  protected Duration timeLimit() {
    return Duration.ofSeconds(20);
  }

  /** The backends that attention is checked on. */
  Backends backends() {
    return Backends.standard();
  }

  @Test
  public void isFoundAsAService() {
    Class<?> type = pattern().getClass();
    assertThat(ServiceLoader.load(SparsePattern.class, type.getClassLoader()).stream())
        .as("providers of SparsePattern; does the module say 'provides'?")
        .anyMatch(provider -> provider.type().equals(type));
  }

  @Test
  public void isCheapToConstruct() {
    Duration quickest = Duration.ofDays(1);
    for (int i = 0; i < CONSTRUCTIONS; i++) {
      long start = System.nanoTime();
      SparsePattern made = pattern();
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      assertThat(made).as("pattern()").isNotNull();
      quickest = took.compareTo(quickest) < 0 ? took : quickest;
    }
    assertThat(quickest)
        .as(
            "pattern '%s': time to construct it, the quickest of %d; what takes long belongs into index()",
            pattern().name(), CONSTRUCTIONS)
        .isLessThanOrEqualTo(LONGEST_CONSTRUCTION);
  }

  @Test
  public void hasANameAndADescription() {
    String name = pattern().name();
    assertThat(name != null && NAME.matcher(name).matches())
        .as("pattern name '%s' is lower-case words joined by dashes, such as 'my-pattern'", name)
        .isTrue();
    assertThat(name)
        .as("the name '%s' is reserved for the built-in pattern", RESERVED)
        .isNotEqualTo(RESERVED);
    assertThat(pattern().name()).as("pattern name, asked again").isEqualTo(name);
    assertThat(pattern().description())
        .as("pattern '%s': description, one line", name)
        .isNotBlank()
        .doesNotContain("\n");
    assertThat(pattern().inChunks())
        .as("pattern '%s': what changes in chunks, one line", name)
        .isNotBlank()
        .doesNotContain("\n");
  }

  @Test
  public void declaresItsOptions() {
    String name = pattern().name();
    List<Option<?>> options = OptionChecks.declared(pattern());
    assertThat(pattern().options())
        .as("pattern '%s': options, asked again", name)
        .isEqualTo(options);
    for (Option<?> option : options) {
      assertThat(option.description())
          .as("pattern '%s': description of option '%s', one line", name, option.name())
          .isNotBlank()
          .doesNotContain("\n");
    }
  }

  @Test
  public void acceptsTheBoundsOfItsOptions() {
    OptionChecks.requireDeclared(pattern());
    new OptionChecks(pattern(), SEED).assertBoundsAreAccepted();
  }

  @Test
  public void refusesOptionsBeyondTheirBounds() {
    OptionChecks.requireDeclared(pattern());
    new OptionChecks(pattern(), SEED).assertBeyondTheBoundsIsRefused();
  }

  @Test
  public void candidatesHaveTheDeclaredOptions() {
    OptionChecks.requireDeclared(pattern());
    List<Options> candidates = pattern().candidates(CHUNK);
    assertThat(candidates)
        .as("pattern '%s': candidates", pattern().name())
        .isNotEmpty()
        .doesNotHaveDuplicates();
    for (Options candidate : candidates) {
      assertThat(Options.of(pattern().options(), candidate.toMap()))
          .as("pattern '%s': candidate [%s]", pattern().name(), candidate)
          .isEqualTo(candidate);
    }
  }

  @Test
  public void hasOneGpuHalf() {
    SparsePattern pattern = pattern();
    Optional<GpuKernels> half = pattern.gpu();
    String rule = "pattern '%s': gpu() gives the same object every time";
    assertThat(pattern.gpu().isPresent()).as(rule, pattern.name()).isEqualTo(half.isPresent());
    half.ifPresent(first -> assertThat(pattern.gpu()).as(rule, pattern.name()).containsSame(first));
  }

  @Test
  public void indexFitsEveryShape() {
    List<Options> optionsToTry = triedOptions();
    for (TriedShape size : TriedShape.all()) {
      SparsePattern pattern = pattern();
      TestLayer layer =
          new TestTensors(SEED).rotaryLayer(size.shape(), size.type(), Layout.STRIDED);
      for (BlockShape blocks : size.blocks()) {
        for (Options options : optionsToTry) {
          PatternCase tried = new PatternCase(pattern, options, size.shape(), blocks, SEED);
          for (BlockIndex index : tried.indices(layer)) {
            assertThat(index.shape()).as("shape of the index: %s", tried).isEqualTo(tried.shape());
            assertThat(index.blocks()).as("blocks of the index: %s", tried).isEqualTo(blocks);
          }
        }
      }
    }
  }

  /** Twice on one instance, on another instance, and on another thread. */
  @Test
  public void indexIsTheSameEveryTime() {
    forEachOptions(tried -> {
      TestLayer layer = tried.layer(ElementType.FLOAT32, Layout.CONTIGUOUS);
      List<BlockIndex> expected = tried.indices(layer);
      assertThat(tried.indices(layer).equals(expected))
          .as("the index is the same when asked again: %s", tried)
          .isTrue();
      assertThat(tried.with(pattern()).indices(layer).equals(expected))
          .as("the index of another instance is the same: %s", tried)
          .isTrue();
      assertThat(onAnotherThread(() -> tried.indices(layer)).equals(expected))
          .as("the index is the same on another thread: %s", tried)
          .isTrue();
    });
  }

  @Test
  public void threadsMayShareOneInstance() {
    forEachOptions(SharedUse::assertHarmless);
  }

  @Test
  public void layoutDoesNotMatter() {
    forEachOptions(tried -> {
      for (ElementType type : ElementType.values()) {
        List<BlockIndex> expected = tried.indices(tried.layer(type, Layout.CONTIGUOUS));
        for (Layout layout : Layout.values()) {
          assertThat(tried.indices(tried.layer(type, layout)).equals(expected))
              .as("the index is the same for a layout that is %s, %s: %s", layout, type, tried)
              .isTrue();
        }
      }
    });
  }

  /** Numbers of a narrow type are numbers of float32 as well, and give the same index there. */
  @Test
  public void elementTypeDoesNotMatter() {
    forEachOptions(tried -> {
      for (ElementType type : List.of(ElementType.FLOAT16, ElementType.BFLOAT16)) {
        TestLayer narrow = tried.layer(type, Layout.INTERLEAVED);
        assertThat(tried.indices(narrow).equals(tried.indices(narrow.widened())))
            .as("the index is the same for %s and for the same numbers in FLOAT32: %s", type, tried)
            .isTrue();
      }
    });
  }

  @Test
  public void chunksReadWhatTheWholePromptReads() {
    assumeTrue(chunksGiveTheRowsOfTheWhole(), "the pattern declares that chunks may differ");
    forEachOptions(Chunks::assertRowsOfTheWhole);
  }

  @Test
  public void numbersThatAreNotFiniteAreSurvived() {
    forEachOptions(tried -> {
      for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, -Float.MAX_VALUE}) {
        for (int from : new int[] {0, 1, tried.shape().keyTokens() - 1}) {
          TestLayer layer = tried.layer(ElementType.FLOAT32, Layout.CONTIGUOUS).spoiled(from, bad);
          String description = "%s from token %d on: %s".formatted(bad, from, tried);
          assertTimeoutPreemptively(
              timeLimit(),
              () ->
                  assertThat(tried.indices(layer).equals(tried.indices(layer)))
                      .as("the index is the same when asked again: %s", description)
                      .isTrue(),
              description);
        }
      }
    });
  }

  @Test
  public void budgetsBeyondThePromptMeanDense() {
    for (TriedShape size : TriedShape.all()) {
      for (Options options : optionsThatKeepAll(size.shape().keyTokens())) {
        PatternCase tried = new PatternCase(pattern(), options, size.shape(), SMALL_BLOCKS, SEED);
        for (BlockIndex index : tried.indices(tried.layer(size.type(), Layout.CONTIGUOUS))) {
          assertThat(index.isDense()).as("is dense: %s", tried).isTrue();
        }
      }
    }
  }

  /**
   * On the backends for the processor that can run here; their error is at most twice the plain
   * computation's.
   */
  @Test
  public void attentionKeepsTheNumericalRule() {
    ProcessorChecks processor = new ProcessorChecks(backends());
    forEachOptions(anyShape -> processor.assertAttentionKeepsTheRule(anyShape.with(ATTENTION)));
  }

  /**
   * The GPU half builds the index that {@link SparsePattern#index} gives, except where rounding
   * decides. Skipped where there is no GPU.
   */
  @Test
  @Tag("gpu")
  public void gpuBuildsTheHostsIndex() {
    assumeTrue(pattern().gpu().isPresent(), "the pattern has no GPU half");
    try (GpuChecks gpu = GpuChecks.open(backends())) {
      gpu.forEach(pattern(), triedOptions(), SEED, gpu::assertIndexIsTheHosts);
    }
  }

  /** As on the processor's backends, on the GPU. Skipped where there is none. */
  @Test
  @Tag("gpu")
  public void gpuAttentionKeepsTheNumericalRule() {
    try (GpuChecks gpu = GpuChecks.open(backends())) {
      gpu.forEach(pattern(), triedOptions(), SEED, gpu::assertAttentionKeepsTheRule);
    }
  }

  @Test
  public void indexCostGrowsLessThanTheSquare() {
    assumeFalse(indexCostIsQuadratic(), "the pattern declares that its index cost is quadratic");
    OptionChecks.requireDeclared(pattern());
    new IndexCost(pattern(), Options.defaults(pattern().options()), SEED).assertBelowQuadratic();
  }

  private static <T> T onAnotherThread(Callable<T> work) throws Exception {
    try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
      return thread.submit(work).get();
    }
  }

  private List<Options> triedOptions() {
    OptionChecks.requireDeclared(pattern());
    return optionsToTry();
  }

  /** A check of one case. */
  private interface CaseCheck {
    void check(PatternCase tried) throws Exception;
  }

  private void forEachOptions(CaseCheck test) {
    for (Options options : triedOptions()) {
      try {
        test.check(new PatternCase(pattern(), options, CHUNK, SMALL_BLOCKS, SEED));
      } catch (Exception failure) {
        throw new AssertionError(failure.toString(), failure);
      }
    }
  }
}
