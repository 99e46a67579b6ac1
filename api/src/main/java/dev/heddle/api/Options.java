package dev.heddle.api;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A value for each option of a pattern: immutable, complete, every value in range. Two are equal
 * when they declare the same options with the same values.
 */
public final class Options {
  private final Map<Option<?>, Object> values;

  private Options(Map<Option<?>, Object> values) {
    this.values = values;
  }

  /**
   * The defaults of the declared options.
   *
   * @throws InvalidInputException if two of them have one name
   */
  public static Options defaults(List<Option<?>> declared) {
    Map<Option<?>, Object> values = LinkedHashMap.newLinkedHashMap(declared.size());
    for (Option<?> option : declared) {
      if (values.keySet().stream().anyMatch(other -> other.name().equals(option.name()))) {
        throw new InvalidInputException("option '" + option.name() + "' is declared twice");
      }
      values.put(option, option.defaultValue());
    }
    return new Options(values);
  }

  /**
   * The declared options with the values that {@code given} names, and defaults for the rest.
   *
   * @param given option name to value, as {@link Option#convert} takes it
   * @throws InvalidInputException for a name that is not declared or a value that is not allowed
   */
  public static Options of(List<Option<?>> declared, Map<String, ?> given) {
    Options result = defaults(declared);
    for (Map.Entry<String, ?> entry : given.entrySet()) {
      result = result.with(entry.getKey(), entry.getValue());
    }
    return result;
  }

  /** The value of {@code option}. */
  public <T extends Comparable<T>> T get(Option<T> option) {
    Object value = values.get(option);
    if (value == null) {
      throw unknown(option.name());
    }
    return option.type().cast(value);
  }

  /** A copy in which {@code option} has {@code value}. */
  public <T extends Comparable<T>> Options with(Option<T> option, T value) {
    if (!values.containsKey(option)) {
      throw unknown(option.name());
    }
    Map<Option<?>, Object> changed = new LinkedHashMap<>(values);
    changed.put(option, option.convert(value));
    return new Options(changed);
  }

  /**
   * A copy in which the option called {@code name} has {@code value}, as {@link Option#convert}
   * takes it.
   */
  public Options with(String name, Object value) {
    for (Option<?> option : values.keySet()) {
      if (option.name().equals(name)) {
        Map<Option<?>, Object> changed = new LinkedHashMap<>(values);
        changed.put(option, option.convert(value));
        return new Options(changed);
      }
    }
    throw unknown(name);
  }

  /** Option name to value, in the order of declaration. */
  public Map<String, Object> toMap() {
    Map<String, Object> map = LinkedHashMap.newLinkedHashMap(values.size());
    values.forEach((option, value) -> map.put(option.name(), value));
    return map;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Options options && values.equals(options.values);
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }

  /** {@code "sink=128 local=1024"}. */
  @Override
  public String toString() {
    return values.entrySet().stream()
        .map(entry -> entry.getKey().name() + "=" + entry.getValue())
        .collect(Collectors.joining(" "));
  }

  private InvalidInputException unknown(String name) {
    String known =
        values.keySet().stream().map(Option::name).sorted().collect(Collectors.joining(", "));
    return new InvalidInputException(
        "unknown option '"
            + name
            + "'; "
            + (known.isEmpty() ? "there are none" : "allowed: " + known));
  }
}
