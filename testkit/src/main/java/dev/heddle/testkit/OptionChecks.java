package dev.heddle.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.ArrayList;
import java.util.List;

/** Whether a pattern's options are what their declaration says. */
record OptionChecks(SparsePattern pattern, long seed) {
  private static final List<AttentionShape> SHAPES =
      List.of(new AttentionShape(2, 1, 113, 113, 8), new AttentionShape(2, 1, 40, 113, 8));
  private static final List<BlockShape> BLOCKS = List.of(BlockShape.DEFAULT, new BlockShape(16, 8));

  /**
   * The options that {@code pattern} declares.
   *
   * @throws AssertionError if they cannot be read, or two have one name
   */
  static List<Option<?>> declared(SparsePattern pattern) {
    try {
      List<Option<?>> options = pattern.options();
      Options.defaults(options); // for its check of the names
      return options;
    } catch (RuntimeException failure) {
      throw new AssertionError(
          "pattern '%s': its options are declared badly: %s"
              .formatted(pattern.name(), failure.getMessage()),
          failure);
    }
  }

  /** Nothing can be tried with options that cannot be read; one test says why, the others wait. */
  static void requireDeclared(SparsePattern pattern) {
    try {
      declared(pattern);
    } catch (AssertionError reportedElsewhere) {
      abort("needs the options, see declaresItsOptions: " + reportedElsewhere.getMessage());
    }
  }

  /** Every declared bound, alone and all together, gives a valid index. */
  void assertBoundsAreAccepted() {
    for (Options options : atTheirBounds()) {
      for (AttentionShape shape : SHAPES) {
        for (BlockShape blocks : BLOCKS) {
          PatternCase tried = new PatternCase(pattern, options, shape, blocks, seed);
          tried.indices(tried.layer(ElementType.FLOAT32, Layout.CONTIGUOUS));
        }
      }
    }
  }

  /** The defaults with one option at a bound, and all options at their least and greatest. */
  private List<Options> atTheirBounds() {
    Options defaults = Options.defaults(pattern.options());
    Options least = defaults;
    Options greatest = defaults;
    List<Options> all = new ArrayList<>();
    for (Option<?> option : pattern.options()) {
      if (isBound(option.minimum())) {
        all.add(defaults.with(option.name(), option.minimum()));
        least = least.with(option.name(), option.minimum());
      }
      if (isBound(option.maximum())) {
        all.add(defaults.with(option.name(), option.maximum()));
        greatest = greatest.with(option.name(), option.maximum());
      }
    }
    all.add(least);
    all.add(greatest);
    return all;
  }

  /** An infinite end of a range is no value that a user would give. */
  private static boolean isBound(Comparable<?> value) {
    return !(value instanceof Double number) || Double.isFinite(number);
  }

  /** One step outside each bound is refused, with a message that names the option. */
  void assertBeyondTheBoundsIsRefused() {
    for (Option<?> option : pattern.options()) {
      for (Object value : beyond(option)) {
        assertThat(refusal(option, value))
            .as(
                "pattern '%s': option '%s' is declared from %s to %s; it must refuse %s, and say so",
                pattern.name(), option.name(), option.minimum(), option.maximum(), value)
            .contains(option.name());
      }
    }
  }

  /** What is said against the value; nothing where it is taken. */
  private static String refusal(Option<?> option, Object value) {
    try {
      return "takes " + option.convert(value).getClass().getSimpleName();
    } catch (InvalidInputException refusal) {
      return String.valueOf(refusal.getMessage());
    }
  }

  private static List<Object> beyond(Option<?> option) {
    return switch (option.minimum()) {
      case Integer least -> List.of(least - 1L, (Integer) option.maximum() + 1L);
      case Double least ->
          List.of(Math.nextDown(least), Math.nextUp((Double) option.maximum()), Double.NaN);
      default -> List.of("maybe"); // true and false are all that a flag knows
    };
  }
}
