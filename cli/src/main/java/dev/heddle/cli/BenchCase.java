package dev.heddle.cli;

import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.PatternRegistry;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A pattern to be measured.
 *
 * @param given the options that are not left at their defaults, for its label
 */
record BenchCase(SparsePattern pattern, Options options, Map<String, String> given) {
  /** The cases that are measured when none is named: budgets in use for long prompts. */
  private static final List<Choice> STANDARD =
      List.of(
          new Choice("a-shape", Map.of("sink", "1024", "local", "4096")),
          new Choice("block-sparse", Map.of("blocks", "100")),
          new Choice("vertical-slash", Map.of("verticals", "1000", "slashes", "6096")),
          new Choice("vertical-slash", Map.of("verticals", "30", "slashes", "800")),
          new Choice("vertical-slash", Map.of("verticals", "3500", "slashes", "100")));

  private record Choice(String pattern, Map<String, String> options) {}

  /**
   * Looks a pattern up.
   *
   * @throws dev.heddle.api.InvalidInputException if an option is unknown or not allowed
   * @throws dev.heddle.runtime.UnknownPatternException if the pattern is unknown
   */
  static BenchCase of(String pattern, Map<String, String> given, PatternRegistry registry) {
    SparsePattern found = registry.get(pattern);
    return new BenchCase(found, Options.of(found.options(), given), given);
  }

  static BenchCase dense(PatternRegistry registry) {
    return of(PatternRegistry.DENSE, Map.of(), registry);
  }

  static List<BenchCase> standard(PatternRegistry registry) {
    return STANDARD.stream()
        .map(choice -> of(choice.pattern(), choice.options(), registry))
        .toList();
  }

  boolean isDense() {
    return pattern.name().equals(PatternRegistry.DENSE);
  }

  /** The given options in the order in which the pattern declares them. */
  String budget() {
    return options.toMap().entrySet().stream()
        .filter(option -> given.containsKey(option.getKey()))
        .map(option -> option.getKey() + " " + option.getValue())
        .collect(Collectors.joining(", "));
  }
}
