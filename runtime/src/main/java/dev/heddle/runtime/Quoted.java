package dev.heddle.runtime;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.StringNode;

/** Values from outside as messages show them: on one line, short, with nothing a terminal obeys. */
final class Quoted {
  private static final int MOST_CHARACTERS = 60;

  private Quoted() {}

  static String text(String value) {
    return json(StringNode.valueOf(value));
  }

  static String json(JsonNode value) {
    String text = value.toString();
    return text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS) + "…";
  }
}
