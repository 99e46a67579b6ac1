package dev.heddle.runtime;

import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Writes heads files: one entry a line, as a person would. */
final class HeadsFileWriter {
  private static final JsonMapper MAPPER = new JsonMapper();

  private HeadsFileWriter() {}

  static String write(HeadsConfig config) {
    StringBuilder json = new StringBuilder();
    json.append("{\n  \"format\": \"").append(HeadsConfig.FORMAT).append("\",\n");
    json.append("  \"shape\": ").append(shape(config.shape())).append(",\n");
    config
        .defaults()
        .ifPresent(choice -> {
          ObjectNode defaults = MAPPER.createObjectNode();
          json.append("  \"defaults\": ").append(choose(defaults, choice)).append(",\n");
        });
    json.append("  \"heads\": [");
    json.append(
        config.entries().stream()
            .map(entry -> "\n    " + entry(entry))
            .collect(Collectors.joining(",")));
    json.append(config.entries().isEmpty() ? "]\n}\n" : "\n  ]\n}\n");
    return json.toString();
  }

  private static ObjectNode shape(ModelShape shape) {
    return MAPPER
        .createObjectNode()
        .put("layers", shape.layers())
        .put("queryHeads", shape.queryHeads())
        .put("keyValueHeads", shape.keyValueHeads())
        .put("headDim", shape.headDim());
  }

  private static ObjectNode entry(HeadsConfig.Entry entry) {
    ObjectNode node =
        MAPPER
            .createObjectNode()
            .put("layers", entry.layers().toString())
            .put("heads", entry.heads().toString());
    return choose(node, entry.choice());
  }

  private static ObjectNode choose(ObjectNode node, PatternChoice choice) {
    node.put("pattern", choice.pattern());
    if (!choice.options().isEmpty()) {
      node.set("options", MAPPER.valueToTree(choice.options()));
    }
    return node;
  }
}
