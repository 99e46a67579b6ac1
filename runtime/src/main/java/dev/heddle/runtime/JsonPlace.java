package dev.heddle.runtime;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/**
 * A value in a heads file together with where it stands, so that every error can say so.
 *
 * @param file the file's name
 * @param path the place: {@code "heads[2].options"}, empty for the whole
 * @param node the value
 */
record JsonPlace(String file, String path, JsonNode node) {
  private static final Pattern PLAIN_KEY = Pattern.compile("[A-Za-z0-9_-]{1,60}");

  /** The members of an object, of which there may be only {@code allowed}. */
  JsonPlace requireObject(Set<String> allowed) {
    requireObject();
    for (String key : node.propertyNames()) {
      if (!allowed.contains(key)) {
        throw at(key).error("unknown key; allowed: " + String.join(", ", new TreeSet<>(allowed)));
      }
    }
    return this;
  }

  JsonPlace requireObject() {
    if (!node.isObject()) {
      throw wrong("an object");
    }
    return this;
  }

  JsonPlace required(String key) {
    return optional(key).orElseThrow(() -> error("\"" + key + "\" is missing"));
  }

  Optional<JsonPlace> optional(String key) {
    JsonNode member = node.get(key);
    return member == null
        ? Optional.empty()
        : Optional.of(new JsonPlace(file, join(path, key), member));
  }

  String string() {
    if (!node.isString()) {
      throw wrong("a string");
    }
    return node.stringValue();
  }

  int positiveInteger() {
    if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 1) {
      throw wrong("an integer from 1 to " + Integer.MAX_VALUE);
    }
    return node.intValue();
  }

  void forEachElement(Consumer<JsonPlace> action) {
    if (!node.isArray()) {
      throw wrong("an array");
    }
    for (int i = 0; i < node.size(); i++) {
      action.accept(new JsonPlace(file, path + "[" + i + "]", node.get(i)));
    }
  }

  /** Each member of an object. */
  void forEachMember(Consumer<Map.Entry<String, JsonPlace>> action) {
    for (Map.Entry<String, JsonNode> member : node.properties()) {
      action.accept(Map.entry(member.getKey(), at(member.getKey(), member.getValue())));
    }
  }

  /** The error that this value is not what is allowed here. */
  HeadsFileException wrong(String allowed) {
    return error("is " + Quoted.json(node) + "; allowed: " + allowed);
  }

  HeadsFileException error(String problem) {
    return new HeadsFileException(file, path, problem);
  }

  /** The path of member {@code key} of the object at {@code path}. */
  static String join(String path, String key) {
    if (!PLAIN_KEY.matcher(key).matches()) {
      return path + "[" + Quoted.text(key) + "]";
    }
    return path.isEmpty() ? key : path + "." + key;
  }

  private JsonPlace at(String key) {
    return at(key, node);
  }

  private JsonPlace at(String key, JsonNode value) {
    return new JsonPlace(file, join(path, key), value);
  }
}
