package dev.heddle.testkit;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** Patterns that break one rule each, the checks that fail for it, and what they say. */
@SuppressWarnings("ImmutableEnumChecker") // the sets are immutable and the suppliers hold nothing
enum BadPattern {
  SLOW_TO_CONSTRUCT(
      "isCheapToConstruct",
      "what takes long belongs into index()",
      () -> {
        sleep(8);
        return new Window();
      }),

  NAME_WITH_CAPITALS(
      "hasANameAndADescription",
      "pattern name 'My_Window' is lower-case words joined by dashes",
      () -> named("My_Window", "a window")),
  NAME_OF_THE_BUILT_IN_PATTERN(
      "hasANameAndADescription",
      "the name 'dense' is reserved for the built-in pattern",
      () -> named("dense", "a window")),
  NO_DESCRIPTION(
      "hasANameAndADescription",
      "pattern 'window': description, one line",
      () -> named("window", " ")),

  OPTION_WITHOUT_A_DESCRIPTION(
      "declaresItsOptions",
      "pattern 'window': description of option 'reach', one line",
      () -> with(Option.tokens("reach", 1, 1, ""))),
  TWO_OPTIONS_OF_ONE_NAME(
      "declaresItsOptions",
      "pattern 'window': its options are declared badly: option 'local' is declared twice",
      () -> with(Option.tokens("local", 1, 1, "Once more."))),
  DEFAULT_OUT_OF_RANGE(
      "declaresItsOptions",
      "option 'reach' has the default 0 outside its range 1 to 2147483647",
      () ->
          new Window() {
            @Override
            public List<Option<?>> options() {
              return List.of(LOCAL, Option.tokens("reach", 0, 1, "Reach."));
            }
          }),

  OVERFLOWS_AT_THE_GREATEST_VALUE(
      "acceptsTheBoundsOfItsOptions",
      "options [local=2147483647]",
      () ->
          new Window() {
            @Override
            public BlockIndex index(HeadInputs head, Options options) {
              return window(head, options.get(LOCAL) + 1);
            }
          }),
  REFUSES_ITS_LEAST_VALUE(
      "acceptsTheBoundsOfItsOptions",
      "index() threw java.lang.IllegalArgumentException: share, at head 0 of FLOAT32: pattern 'window', options [local=64 share=0.0]",
      () ->
          new Window() {
            private final Option<Double> share = Option.fraction("share", 0.5, "Share.");

            @Override
            public List<Option<?>> options() {
              return List.of(LOCAL, share);
            }

            @Override
            public BlockIndex index(HeadInputs head, Options options) {
              if (options.get(share) == 0) {
                throw new IllegalArgumentException("share");
              }
              return super.index(head, options);
            }
          }),
  A_RANGE_WITHOUT_AN_END(
      "refusesOptionsBeyondTheirBounds",
      "option 'share' is declared from 0.0 to NaN; it must refuse NaN",
      () -> with(new Option<>("share", Double.class, "", 0.5, 0.0, Double.NaN, "Share."))),

  CANDIDATES_OF_ANOTHER(
      "candidatesHaveTheDeclaredOptions",
      "unknown option 'reach'; allowed: local",
      () -> candidates(List.of(Options.defaults(List.of(Option.tokens("reach", 1, 1, "Reach.")))))),
  NO_CANDIDATES(
      "candidatesHaveTheDeclaredOptions",
      "pattern 'window': candidates",
      () -> candidates(List.of())),

  A_NEW_GPU_HALF_EACH_TIME(
      "hasOneGpuHalf",
      "gpu() gives the same object every time",
      () ->
          new Window() {
            @Override
            public Optional<GpuKernels> gpu() {
              return Optional.of(anyGpuHalf());
            }
          }),

  DIVIDES_BY_THE_LENGTH_LESS_ONE(
      "indexFitsEveryShape",
      "index() threw java.lang.ArithmeticException: / by zero, at head 0 of FLOAT32: pattern 'window', options [local=64], 2 query heads on 2 key/value heads, 1 queries of 1 keys",
      () -> pattern(head -> window(head, 1 + 5000 / (head.shape().keyTokens() - 1)))),
  INDEX_OF_ANOTHER_SHAPE(
      "indexFitsEveryShape",
      "shape of the index: pattern 'window', options [local=64], 8 query heads on 1 key/value heads",
      () ->
          pattern(head ->
              head.shape().groupSize() == 8
                  ? BlockIndex.dense(new AttentionShape(1, 1, 5, 5, 1), head.blocks())
                  : window(head, 5))),
  GIVES_NULL(
      "indexFitsEveryShape",
      "index() gave null, at head 0: pattern 'window'",
      () -> pattern(head -> head.shape().queryTokens() == 1 ? nothing() : window(head, 5))),

  INSTANCES_DIFFER(
      "indexIsTheSameEveryTime",
      "the index of another instance is the same",
      () -> {
        int number = Counters.INSTANCES.incrementAndGet();
        return pattern(head -> window(head, number));
      }),

  SHARED_SCRATCH(
      "threadsMayShareOneInstance",
      "of 8 gets the index that it gets alone: pattern 'window'",
      () -> {
        float[] scratch = new float[1];
        return pattern(head -> {
          scratch[0] = head.keys().get(0, 0);
          sleep(1);
          return window(head, scratch[0] == head.keys().get(0, 0) ? 5 : 50);
        });
      }),

  READS_THE_GAPS(
      "layoutDoesNotMatter",
      "the index is the same for a layout that is STRIDED, FLOAT32",
      () -> pattern(head -> window(head, Float.isNaN(numberAfterRow(head.keys())) ? 1 : 50))),
  LOOKS_AT_THE_ELEMENT_TYPE(
      "elementTypeDoesNotMatter",
      "the index is the same for FLOAT16 and for the same numbers in FLOAT32",
      () -> pattern(head -> window(head, head.keys().type() == ElementType.FLOAT32 ? 1 : 50))),

  LOOKS_AT_THE_NUMBER_OF_QUERIES(
      "chunksReadWhatTheWholePromptReads",
      "the query at position 160 does not read key 117 when it is part of a chunk, but reads it when the whole prompt is given at once",
      () -> pattern(head -> window(head, 1 + head.shape().queryTokens() / 7))),

  NOTHING_WHERE_THERE_IS_A_NAN(
      "numbersThatAreNotFiniteAreSurvived",
      "row 0: empty",
      () -> pattern(head -> window(head, Float.isNaN(head.keys().get(0, 0)) ? 0 : 50))),
  LOOPS_FOR_EVER_ON_A_NAN(
      "numbersThatAreNotFiniteAreSurvived",
      "NaN from token 0 on: pattern 'window'",
      () ->
          pattern(head -> {
            while (!(head.keys().get(0, 0) < Float.MAX_VALUE) && !Thread.interrupted()) {
              Thread.onSpinWait();
            }
            return window(head, 5);
          })),
  FAILS_ON_INFINITY(
      "numbersThatAreNotFiniteAreSurvived",
      "index() threw java.lang.IllegalStateException: overflow",
      () ->
          pattern(head -> {
            if (Float.isInfinite(head.queries().get(0, 0))) {
              throw new IllegalStateException("overflow");
            }
            return window(head, 5);
          })),

  SCORES_EVERY_PAIR(
      "indexCostGrowsLessThanTheSquare",
      "times as much for 4 times the prompt, where 4 would be linear, 16 quadratic",
      () -> pattern(head -> window(head, 5 + favourite(head.keys()) % 2))),

  COUNTS_ITS_CALLS(
      Set.of(
          "indexIsTheSameEveryTime",
          "threadsMayShareOneInstance",
          "layoutDoesNotMatter",
          "elementTypeDoesNotMatter",
          "chunksReadWhatTheWholePromptReads",
          "numbersThatAreNotFiniteAreSurvived"),
      "seed 20240702",
      () -> {
        AtomicInteger calls = new AtomicInteger();
        return pattern(head -> window(head, 1 + calls.getAndIncrement()));
      }),
  WRITES_TO_ITS_INPUT(
      Set.of(
          "acceptsTheBoundsOfItsOptions",
          "indexFitsEveryShape",
          "indexIsTheSameEveryTime",
          "threadsMayShareOneInstance",
          "layoutDoesNotMatter",
          "elementTypeDoesNotMatter",
          "chunksReadWhatTheWholePromptReads",
          "numbersThatAreNotFiniteAreSurvived",
          "attentionKeepsTheNumericalRule",
          "indexCostGrowsLessThanTheSquare"),
      "read-only",
      () ->
          pattern(head -> {
            head.keys().type().store(head.keys().memory(), head.keys().rowOffset(0), 0);
            return window(head, 1);
          }));

  /** The names of the tests that fail. */
  final Set<String> failing;

  /** In the message of each of them. */
  final String message;

  final Supplier<SparsePattern> made;

  BadPattern(String failing, String message, Supplier<SparsePattern> made) {
    this(Set.of(failing), message, made);
  }

  BadPattern(Set<String> failing, String message, Supplier<SparsePattern> made) {
    this.failing = failing;
    this.message = message;
    this.made = made;
  }

  private static final class Counters {
    static final AtomicInteger INSTANCES = new AtomicInteger();
  }

  private interface IndexFunction {
    BlockIndex index(HeadInputs head);
  }

  private static SparsePattern pattern(IndexFunction function) {
    return new Window() {
      @Override
      public BlockIndex index(HeadInputs head, Options options) {
        return function.index(head);
      }
    };
  }

  private static BlockIndex window(HeadInputs head, int local) {
    return Window.window(head, local);
  }

  private static SparsePattern named(String name, String description) {
    return new Window() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public String description() {
        return description;
      }
    };
  }

  private static SparsePattern with(Option<?> another) {
    return new Window() {
      @Override
      public List<Option<?>> options() {
        return List.of(LOCAL, another);
      }
    };
  }

  private static SparsePattern candidates(List<Options> candidates) {
    return new Window() {
      @Override
      public List<Options> candidates(AttentionShape shape) {
        return candidates;
      }
    };
  }

  private static GpuKernels anyGpuHalf() {
    return (GpuKernels)
        Proxy.newProxyInstance(
            GpuKernels.class.getClassLoader(),
            new Class<?>[] {GpuKernels.class},
            (half, method, arguments) -> {
              if (method.getName().equals("toString")) {
                return "a GPU half";
              }
              throw new UnsupportedOperationException(method.getName());
            });
  }

  /** What a pattern compiled without null checks may give. */
  @SuppressWarnings("NullAway")
  private static BlockIndex nothing() {
    return null;
  }

  private static float numberAfterRow(HeadMatrix matrix) {
    return matrix.tokens() > 1
        ? matrix.type().load(matrix.memory(), matrix.rowOffset(0) + matrix.headDim())
        : 0;
  }

  /** The first of the two keys with the greatest score. */
  private static int favourite(HeadMatrix keys) {
    float[] rows = new float[keys.tokens() * keys.headDim()];
    keys.copyRows(0, keys.tokens(), rows, 0);
    float greatest = 0;
    int favourite = 0;
    for (int i = 0; i < rows.length; i += keys.headDim()) {
      for (int j = 0; j < i; j += keys.headDim()) {
        float score = rows[i] * rows[j] + rows[i + 1] * rows[j + 1];
        if (score > greatest) {
          greatest = score;
          favourite = i;
        }
      }
    }
    return favourite / keys.headDim();
  }

  private static void sleep(int milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
