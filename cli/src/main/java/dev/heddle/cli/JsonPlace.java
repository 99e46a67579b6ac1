package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A value in a JSON file that a user gives, with its place, which every error names.
 *
 * @param file the file's name
 * @param path where in it the value stands; empty for the whole
 * @param node the value
 */
record JsonPlace(String file, String path, JsonNode node) {
  private static final JsonMapper MAPPER = new JsonMapper();

  /**
   * Reads a file.
   *
   * @throws InvalidInputException if it holds no JSON object
   */
  static JsonPlace read(Path file) throws IOException {
    try {
      return object(file.toString(), MAPPER.readTree(TextFile.read(file)));
    } catch (JacksonException malformed) {
      throw new InvalidInputException(
          file + " is not JSON: " + malformed.getOriginalMessage(), malformed);
    }
  }

  /** What a command is about to print as JSON, as if it had been read from {@code file}. */
  static JsonPlace of(Map<String, Object> object, String file) {
    return object(file, MAPPER.valueToTree(object));
  }

  private static JsonPlace object(String file, JsonNode node) {
    if (!node.isObject()) {
      throw new InvalidInputException(file + " holds no JSON object");
    }
    return new JsonPlace(file, "", node);
  }

  /** The member {@code key}, if it is there. */
  Optional<JsonPlace> find(String key) {
    return Optional.ofNullable(node.get(key))
        .map(member -> new JsonPlace(file, path.isEmpty() ? key : path + "." + key, member));
  }

  /**
   * The member {@code key}.
   *
   * @throws InvalidInputException if it is not there
   */
  JsonPlace get(String key) {
    return find(key)
        .orElseThrow(() ->
            new InvalidInputException(
                "%s: \"%s\" is missing%s"
                    .formatted(file, key, path.isEmpty() ? "" : " in " + path)));
  }

  /** The elements of the array {@code key}. */
  List<JsonPlace> list(String key) {
    JsonPlace array = get(key);
    if (!array.node.isArray()) {
      throw array.wrong("an array");
    }
    List<JsonPlace> elements = new ArrayList<>();
    for (JsonNode element : array.node) {
      elements.add(new JsonPlace(file, array.path + "[" + elements.size() + "]", element));
    }
    return elements;
  }

  /** The text that this is. */
  String text() {
    if (!node.isString()) {
      throw wrong("a text");
    }
    return node.asString();
  }

  /** The number that this is, from 0. */
  double number() {
    if (!node.isNumber() || !(node.asDouble() >= 0) || Double.isInfinite(node.asDouble())) {
      throw wrong("a number from 0");
    }
    return node.asDouble();
  }

  /** The share that this is, 0 to 1. */
  double share() {
    if (!(number() <= 1)) {
      throw wrong("0 to 1");
    }
    return number();
  }

  /** The whole number that this is, between the two. */
  int integer(int from, int to) {
    if (!node.isIntegralNumber() || !node.canConvertToInt()) {
      throw wrong("an integer from " + from + " to " + to);
    }
    int value = node.asInt();
    if (value < from || value > to) {
      throw wrong("an integer from " + from + " to " + to);
    }
    return value;
  }

  /** What this is, as it is written, without quotes. */
  String shown() {
    return node.isString() ? node.asString() : node.toString();
  }

  /** The names of the members, in the order of the file. */
  List<String> keys() {
    return List.copyOf(node.propertyNames());
  }

  InvalidInputException wrong(String allowed) {
    return new InvalidInputException(
        "%s: %s is %s; allowed: %s".formatted(file, path, node, allowed));
  }
}
