package dev.heddle.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Backends;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
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
 * <p>It checks what holds for any pattern: declared names and options, a valid index on awkward
 * sizes, the same answer every time, from every thread, layout and element type, and survival of
 * numbers that are not finite. That a pattern lists the keys that it promises is for the author's
 * own tests.
 */
public abstract class PatternContract {
  private static final long SEED = 20_240_702;

  /** Query heads, key/value heads, query tokens, key tokens, head dim. */
  private static final List<AttentionShape> SHAPES =
      List.of(
          new AttentionShape(1, 1, 1, 1, 8),
          new AttentionShape(1, 1, 63, 63, 16),
          new AttentionShape(4, 1, 64, 64, 24),
          new AttentionShape(8, 2, 65, 65, 6),
          new AttentionShape(8, 1, 1, 129, 16),
          new AttentionShape(2, 1, 113, 241, 20),
          new AttentionShape(4, 4, 127, 1023, 8),
          new AttentionShape(1, 1, 1023, 1023, 64));

  private static final List<BlockShape> BLOCKS =
      List.of(
          BlockShape.DEFAULT,
          new BlockShape(64, 64),
          new BlockShape(16, 32),
          new BlockShape(5, 7),
          new BlockShape(1, 1),
          new BlockShape(4096, 4096));

  /** A chunk in a shape with groups, for tests that need one shape only. */
  private static final AttentionShape CHUNK = new AttentionShape(4, 2, 150, 301, 16);

  private static final BlockShape SMALL_BLOCKS = new BlockShape(16, 8);

  /** For subclasses. */
  protected PatternContract() {}

  /** The pattern under test; each call may make a new instance. */
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

  @Test
  public void isFoundAsAService() {
    Class<?> type = pattern().getClass();
    assertThat(ServiceLoader.load(SparsePattern.class, type.getClassLoader()).stream())
        .as("providers of SparsePattern; does the module say 'provides'?")
        .anyMatch(provider -> provider.type().equals(type));
  }

  @Test
  public void hasANameAndADescription() {
    assertThat(pattern().name()).matches("[a-z][a-z0-9]*(-[a-z0-9]+)*");
    assertThat(pattern().description()).isNotBlank().doesNotContain("\n");
  }

  @Test
  public void declaresTheSameOptionsOnEveryCall() {
    assertThat(pattern().options()).isEqualTo(pattern().options());
    assertThat(Options.defaults(pattern().options()).toMap()).hasSameSizeAs(pattern().options());
    for (Option<?> option : pattern().options()) {
      assertThat(option.description()).as("description of option %s", option.name()).isNotBlank();
    }
  }

  @Test
  public void candidatesHaveTheDeclaredOptions() {
    List<Options> candidates = pattern().candidates(CHUNK);
    assertThat(candidates).isNotEmpty().doesNotHaveDuplicates();
    for (Options candidate : candidates) {
      assertThat(Options.of(pattern().options(), candidate.toMap())).isEqualTo(candidate);
    }
  }

  @Test
  public void indexFitsEveryShape() {
    forEachShape(tried -> {
      for (BlockIndex index : tried.indices(tried.layer(ElementType.FLOAT32, Layout.STRIDED))) {
        assertThat(index.shape()).as("shape: %s", tried).isEqualTo(tried.shape());
        assertThat(index.blocks()).as("blocks: %s", tried).isEqualTo(tried.blocks());
      }
    });
  }

  @Test
  public void everyInstanceGivesTheSameIndex() {
    forEachOptions(tried -> {
      TestLayer layer = tried.layer(ElementType.FLOAT32, Layout.CONTIGUOUS);
      PatternCase again =
          new PatternCase(pattern(), tried.options(), tried.shape(), tried.blocks(), tried.seed());
      assertThat(again.indices(layer)).as("%s", tried).isEqualTo(tried.indices(layer));
    });
  }

  @Test
  public void layoutDoesNotMatter() {
    forEachOptions(tried -> {
      for (ElementType type : ElementType.values()) {
        List<BlockIndex> expected = tried.indices(tried.layer(type, Layout.CONTIGUOUS));
        for (Layout layout : Layout.values()) {
          assertThat(tried.indices(tried.layer(type, layout)))
              .as("%s %s: %s", type, layout, tried)
              .isEqualTo(expected);
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
        assertThat(tried.indices(narrow))
            .as("%s: %s", type, tried)
            .isEqualTo(tried.indices(widened(narrow)));
      }
    });
  }

  @Test
  public void threadsDoNotMatter() {
    forEachOptions(tried -> {
      TestLayer layer = tried.layer(ElementType.FLOAT32, Layout.CONTIGUOUS);
      List<BlockIndex> expected = tried.indices(layer);
      List<List<BlockIndex>> found =
          IntStream.range(0, 8).parallel().mapToObj(thread -> tried.indices(layer)).toList();
      assertThat(found).as("%s", tried).isEqualTo(Collections.nCopies(8, expected));
    });
  }

  @Test
  public void numbersThatAreNotFiniteAreSurvived() {
    forEachOptions(tried -> {
      for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, -Float.MAX_VALUE}) {
        for (int from : new int[] {0, 1, tried.shape().keyTokens() - 1}) {
          TestLayer layer = tried.layer(ElementType.FLOAT32, Layout.CONTIGUOUS);
          spoil(layer.keys(), from, bad);
          spoil(layer.queries(), Math.min(from, tried.shape().queryTokens() - 1), bad);
          assertTimeoutPreemptively(
              Duration.ofSeconds(20),
              () -> assertThat(tried.indices(layer)).isEqualTo(tried.indices(layer)),
              () -> "%s from token %d on: %s".formatted(bad, from, tried));
        }
      }
    });
  }

  @Test
  public void budgetsBeyondThePromptMeanDense() {
    for (AttentionShape shape : SHAPES) {
      for (Options options : optionsThatKeepAll(shape.keyTokens())) {
        PatternCase tried = new PatternCase(pattern(), options, shape, SMALL_BLOCKS, SEED);
        for (BlockIndex index :
            tried.indices(tried.layer(ElementType.FLOAT32, Layout.CONTIGUOUS))) {
          assertThat(index.isDense()).as("is dense: %s", tried).isTrue();
        }
      }
    }
  }

  /**
   * float32 rounding of the output is the only difference: 2^-24 of its size, and as much again for
   * sums in another order.
   */
  @Test
  public void attentionReadsWhatTheIndexListsAndNothingElse() {
    forEachOptions(tried -> {
      TestLayer layer = tried.layer(ElementType.FLOAT32, Layout.CONTIGUOUS);
      List<BlockIndex> indices = tried.indices(layer);
      HeadTensor out = attend(layer, indices);
      for (int head = 0; head < out.heads(); head++) {
        for (int query = 0; query < out.tokens(); query++) {
          double[] expected = MaskedAttention.row(layer, head, query, indices.get(head));
          for (int dim = 0; dim < expected.length; dim++) {
            assertThat((double) out.head(head).get(query, dim))
                .as("head %d, query %d, dim %d: %s", head, query, dim, tried)
                .isCloseTo(
                    expected[dim], within(Math.ulp(1f) * Math.max(1, Math.abs(expected[dim]))));
          }
        }
      }
    });
  }

  private static Offset<Double> within(double tolerance) {
    return Offset.offset(tolerance);
  }

  private static HeadTensor attend(TestLayer layer, List<BlockIndex> indices) {
    AttentionShape shape = layer.shape();
    HeadTensor out =
        Layout.CONTIGUOUS.allocate(
            ElementType.FLOAT32, shape.queryHeads(), shape.queryTokens(), shape.headDim());
    try (AttentionBackend backend = Backends.standard().open("reference", 1)) {
      backend.attend(layer.call(indices, out));
    }
    return out;
  }

  private void forEachShape(Consumer<PatternCase> test) {
    for (Options options : optionsToTry()) {
      for (AttentionShape shape : SHAPES) {
        for (BlockShape blocks : BLOCKS) {
          test.accept(new PatternCase(pattern(), options, shape, blocks, SEED));
        }
      }
    }
  }

  private void forEachOptions(Consumer<PatternCase> test) {
    for (Options options : optionsToTry()) {
      test.accept(new PatternCase(pattern(), options, CHUNK, SMALL_BLOCKS, SEED));
    }
  }

  /** Overwrites every number of the tokens from {@code firstToken} on, in all heads. */
  private static void spoil(HeadTensor tensor, int firstToken, float bad) {
    float[] row = new float[tensor.headDim()];
    Arrays.fill(row, bad);
    for (int head = 0; head < tensor.heads(); head++) {
      for (int token = firstToken; token < tensor.tokens(); token++) {
        TestTensors.storeRow(tensor, head, token, row);
      }
    }
  }

  private static TestLayer widened(TestLayer layer) {
    return new TestLayer(
        layer.shape(), widened(layer.queries()), widened(layer.keys()), widened(layer.values()));
  }

  private static HeadTensor widened(HeadTensor narrow) {
    HeadTensor wide =
        Layout.CONTIGUOUS.allocate(
            ElementType.FLOAT32, narrow.heads(), narrow.tokens(), narrow.headDim());
    float[] row = new float[narrow.headDim()];
    for (int head = 0; head < narrow.heads(); head++) {
      HeadMatrix rows = narrow.head(head);
      for (int token = 0; token < narrow.tokens(); token++) {
        rows.copyRows(token, 1, row, 0);
        TestTensors.storeRow(wide, head, token, row);
      }
    }
    return wide;
  }
}
