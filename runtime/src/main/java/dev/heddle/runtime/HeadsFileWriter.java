package dev.heddle.runtime;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Writes heads files: one entry a line, as a person would. */
final class HeadsFileWriter {
  private static final JsonMapper MAPPER = new JsonMapper();

  /** Text beyond this many characters has a line of its own. */
  private static final int LONG_TEXT = 40;

  private HeadsFileWriter() {}

  static String write(HeadsConfig config) {
    StringBuilder json = new StringBuilder();
    json.append("{\n  \"format\": \"").append(HeadsConfig.FORMAT).append("\",\n");
    json.append("  \"shape\": ").append(shape(config.shape())).append(",\n");
    if (!config.notes().isEmpty()) {
      json.append("  \"notes\": ").append(laidOut(config.notes(), "  ")).append(",\n");
    }
    config
        .defaults()
        .ifPresent(choice -> {
          ObjectNode defaults = MAPPER.createObjectNode();
          json.append("  \"defaults\": ").append(choose(defaults, choice)).append(",\n");
        });
    json.append("  \"heads\": [");
    json.append(
        IntStream.range(0, config.entries().size())
            .mapToObj(i -> "\n    " + entry(config.entries().get(i), config.entryNotes().get(i)))
            .collect(Collectors.joining(",")));
    json.append(config.entries().isEmpty() ? "]\n}\n" : "\n  ]\n}\n");
    return json.toString();
  }

  /** A copy of {@code notes} in the types that they are read back in. */
  static Map<String, Object> plain(Map<String, ?> notes) {
    return StrictJson.members(MAPPER.readTree(MAPPER.writeValueAsString(notes)));
  }

  /** Objects and lists with a line for each member, unless they hold nothing but plain values. */
  private static String laidOut(Object value, String indent) {
    String inner = indent + "  ";
    if (value instanceof Map<?, ?> map && holdsMore(map.values())) {
      return map.entrySet().stream()
          .map(member ->
              inner
                  + MAPPER.writeValueAsString(member.getKey())
                  + ": "
                  + laidOut(member.getValue(), inner))
          .collect(Collectors.joining(",\n", "{\n", "\n" + indent + "}"));
    }
    if (value instanceof List<?> list && holdsMore(list)) {
      return list.stream()
          .map(element -> inner + laidOut(element, inner))
          .collect(Collectors.joining(",\n", "[\n", "\n" + indent + "]"));
    }
    return MAPPER.writeValueAsString(value);
  }

  private static boolean holdsMore(Collection<?> values) {
    return values.stream().anyMatch(value -> value instanceof Map || value instanceof List)
        || values.stream()
            .anyMatch(value -> value instanceof String text && text.length() > LONG_TEXT);
  }

  private static ObjectNode shape(ModelShape shape) {
    return MAPPER
        .createObjectNode()
        .put("layers", shape.layers())
        .put("queryHeads", shape.queryHeads())
        .put("keyValueHeads", shape.keyValueHeads())
        .put("headDim", shape.headDim());
  }

  private static ObjectNode entry(HeadsConfig.Entry entry, Map<String, Object> notes) {
    ObjectNode node =
        MAPPER
            .createObjectNode()
            .put("layers", entry.layers().toString())
            .put("heads", entry.heads().toString());
    choose(node, entry.choice());
    if (!notes.isEmpty()) {
      node.set("notes", MAPPER.valueToTree(notes));
    }
    return node;
  }

  private static ObjectNode choose(ObjectNode node, PatternChoice choice) {
    node.put("pattern", choice.pattern());
    if (!choice.options().isEmpty()) {
      node.set("options", MAPPER.valueToTree(choice.options()));
    }
    return node;
  }
}
