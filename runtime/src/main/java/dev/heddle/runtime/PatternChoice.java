package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A pattern and option values as a heads file or code names them, not yet looked up.
 *
 * @param pattern the pattern's name
 * @param options option name to value: a number, a {@code Boolean}, or text that no option takes
 */
record PatternChoice(String pattern, Map<String, Object> options) {
  PatternChoice {
    options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
  }

  /**
   * A choice made in code or on a command line. Text that spells a number or a truth value is taken
   * as that; so the result reads back from a file as it was.
   */
  static PatternChoice inCode(String pattern, Map<String, ?> given) {
    Map<String, Object> options = new LinkedHashMap<>();
    given.forEach((name, value) -> options.put(name, literal(name, value)));
    return new PatternChoice(pattern, options);
  }

  private static Object literal(String name, Object value) {
    return switch (value) {
      case Integer i -> i;
      case Long l -> narrow(l);
      case Float f -> requireFinite(name, f.doubleValue());
      case Double d -> requireFinite(name, d);
      case Boolean b -> b;
      case String s -> literal(s.strip());
      default ->
          throw new InvalidInputException(
              "option '%s' is a %s; allowed: a number, a Boolean, or text"
                  .formatted(name, value.getClass().getName()));
    };
  }

  private static Object literal(String text) {
    if (text.equals("true") || text.equals("false")) {
      return Boolean.valueOf(text);
    }
    try {
      return narrow(Long.parseLong(text));
    } catch (NumberFormatException noInteger) {
      try {
        double number = Double.parseDouble(text);
        return Double.isFinite(number) ? number : text;
      } catch (NumberFormatException noNumber) {
        return text;
      }
    }
  }

  static Object narrow(long value) {
    return value == (int) value ? (Object) (int) value : (Object) value;
  }

  private static Double requireFinite(String name, double value) {
    if (!Double.isFinite(value)) {
      throw new InvalidInputException(
          "option '%s' is %s; allowed: a finite number".formatted(name, value));
    }
    return value;
  }
}
