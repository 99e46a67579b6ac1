package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.StringNode;

/**
 * A value in a JSON file together with where it stands, so that every error can say so.
 *
 * @param file the file's name
 * @param path the place: {@code rope_scaling.factor}; empty for the whole
 * @param node the value
 */
record JsonPlace(String file, String path, JsonNode node) {
  private static final int MOST_CHARACTERS = 80;
  private static final Pattern PLAIN_KEY = Pattern.compile("[A-Za-z0-9._-]{1,80}");

  JsonPlace requireObject() {
    if (!node.isObject()) {
      throw wrong("an object");
    }
    return this;
  }

  /**
   * The member {@code key}; a member that is {@code null} counts as missing, as it does in Python.
   */
  Optional<JsonPlace> optional(String key) {
    JsonNode member = node.get(key);
    return member == null || member.isNull() ? Optional.empty() : Optional.of(at(key, member));
  }

  JsonPlace required(String key) {
    return optional(key).orElseThrow(() -> error("the key " + quoted(key) + " is missing"));
  }

  /** Each member of an object, in the order of the file. */
  List<Map.Entry<String, JsonPlace>> members() {
    return requireObject().node.properties().stream()
        .map(member -> Map.entry(member.getKey(), at(member.getKey(), member.getValue())))
        .toList();
  }

  List<JsonPlace> elements() {
    if (!node.isArray()) {
      throw wrong("an array");
    }
    return IntStream.range(0, node.size())
        .mapToObj(i -> new JsonPlace(file, path + "[" + i + "]", node.get(i)))
        .toList();
  }

  String string() {
    if (!node.isString()) {
      throw wrong("a string");
    }
    return node.stringValue();
  }

  boolean bool() {
    if (!node.isBoolean()) {
      throw wrong("true or false");
    }
    return node.booleanValue();
  }

  int integer(int minimum) {
    if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < minimum) {
      throw wrong("an integer from " + minimum + " to " + Integer.MAX_VALUE);
    }
    return node.intValue();
  }

  /** An integer from 0 up that a {@code long} holds. */
  long size() {
    if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < 0) {
      throw wrong("an integer from 0 to " + Long.MAX_VALUE);
    }
    return node.longValue();
  }

  double positiveNumber() {
    if (!node.isNumber() || !(node.doubleValue() > 0) || Double.isInfinite(node.doubleValue())) {
      throw wrong("a number above 0");
    }
    return node.doubleValue();
  }

  /** The error that this value is not what is allowed here. */
  InvalidInputException wrong(String allowed) {
    return error("is " + shortened(node.toString()) + "; allowed: " + allowed);
  }

  InvalidInputException error(String problem) {
    return new InvalidInputException(file + ": " + (path.isEmpty() ? "" : path + ": ") + problem);
  }

  /** Text from outside as messages show it: on one line, short, with nothing a terminal obeys. */
  static String quoted(String text) {
    return shortened(StringNode.valueOf(text).toString());
  }

  private static String shortened(String text) {
    return text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS) + "…";
  }

  private JsonPlace at(String key, JsonNode value) {
    String shown = PLAIN_KEY.matcher(key).matches() ? key : quoted(key);
    return new JsonPlace(file, path.isEmpty() ? shown : path + "." + shown, value);
  }
}
