package dev.heddle.api;

import java.util.regex.Pattern;

/**
 * One documented setting of a pattern, with its type, default and range. Declared once as a
 * constant; heads files, command line, messages, documentation and search all read that
 * declaration.
 *
 * @param <T> the type of its values: {@code Integer}, {@code Double} or {@code Boolean}
 * @param name kebab-case, unique within the pattern
 * @param type the class of its values
 * @param unit what one unit of the value is, such as {@code "tokens"}; empty when there is none
 * @param defaultValue used when nothing is said
 * @param minimum the least value allowed
 * @param maximum the greatest value allowed
 * @param description one sentence for the user
 */
public record Option<T extends Comparable<T>>(
    String name,
    Class<T> type,
    String unit,
    T defaultValue,
    T minimum,
    T maximum,
    String description) {
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*");

  /**
   * Checks the declaration.
   *
   * @throws InvalidInputException if the name is not kebab-case, the type is not one of the three,
   *     or the default is out of range
   */
  public Option {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidInputException(
          "option name '" + name + "' is not lower-case words joined by dashes");
    }
    if (type != Integer.class && type != Double.class && type != Boolean.class) {
      throw new InvalidInputException(
          "option '"
              + name
              + "' has type "
              + type.getName()
              + "; allowed: integer, number, boolean");
    }
    if (defaultValue.compareTo(minimum) < 0 || defaultValue.compareTo(maximum) > 0) {
      throw new InvalidInputException(
          "option '%s' has the default %s outside its range %s to %s"
              .formatted(name, defaultValue, minimum, maximum));
    }
  }

  /** A number of tokens, from {@code minimum} up; any value beyond the prompt means all of it. */
  public static Option<Integer> tokens(
      String name, int defaultValue, int minimum, String description) {
    return new Option<>(
        name, Integer.class, "tokens", defaultValue, minimum, Integer.MAX_VALUE, description);
  }

  /** A number of things other than tokens, such as blocks, from {@code minimum} up. */
  public static Option<Integer> count(
      String name, String unit, int defaultValue, int minimum, String description) {
    return new Option<>(
        name, Integer.class, unit, defaultValue, minimum, Integer.MAX_VALUE, description);
  }

  /** A share between 0 and 1. */
  public static Option<Double> fraction(String name, double defaultValue, String description) {
    return new Option<>(name, Double.class, "", defaultValue, 0.0, 1.0, description);
  }

  /** A yes or no. */
  public static Option<Boolean> flag(String name, boolean defaultValue, String description) {
    return new Option<>(name, Boolean.class, "", defaultValue, false, true, description);
  }

  /**
   * Takes a value as a file or a command line gives it: a {@code Number}, a {@code Boolean}, or
   * text.
   *
   * @throws InvalidInputException naming the option, the value and what is allowed
   */
  public T convert(Object value) {
    T converted;
    try {
      converted = type.cast(convertUnchecked(value));
    } catch (ArithmeticException | NumberFormatException | ClassCastException notOfTheType) {
      throw refusal(value);
    }
    if (converted.compareTo(minimum) < 0 || converted.compareTo(maximum) > 0) {
      throw refusal(value);
    }
    return converted;
  }

  /**
   * {@code factor} times {@code value}, rounded and kept within the range of this option, whose
   * type is {@code Integer}.
   */
  public int scale(int value, double factor) {
    return (int)
        Math.clamp(Math.round(value * factor), (long) (Integer) minimum, (long) (Integer) maximum);
  }

  /** What values are allowed, in words: {@code "an integer from 0 (tokens)"}. */
  public String allowed() {
    if (type == Boolean.class) {
      return "true or false";
    }
    String kind = type == Integer.class ? "an integer" : "a number";
    return kind + range() + (unit.isEmpty() ? "" : " (" + unit + ")");
  }

  private String range() {
    boolean bounded =
        !maximum.equals(Integer.MAX_VALUE) && !maximum.equals(Double.POSITIVE_INFINITY);
    return " from " + minimum + (bounded ? " to " + maximum : "");
  }

  private Object convertUnchecked(Object value) {
    if (type == Boolean.class) {
      return value instanceof Boolean ? value : parseBoolean(value.toString());
    }
    if (type == Integer.class) {
      return switch (value) {
        case Integer i -> i;
        case Long l -> Math.toIntExact(l);
        case String s -> Integer.valueOf(s.strip());
        default -> throw new NumberFormatException();
      };
    }
    return switch (value) {
      case Number n -> n.doubleValue();
      case String s -> Double.valueOf(s.strip());
      default -> throw new NumberFormatException();
    };
  }

  private static Boolean parseBoolean(String text) {
    return switch (text.strip()) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new NumberFormatException();
    };
  }

  private InvalidInputException refusal(Object value) {
    String shown = value instanceof String ? "\"" + value + "\"" : String.valueOf(value);
    return new InvalidInputException(
        "option '" + name + "' is " + shown + "; allowed: " + allowed());
  }
}
