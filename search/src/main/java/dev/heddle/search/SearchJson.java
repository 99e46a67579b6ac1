package dev.heddle.search;

import dev.heddle.api.InvalidInputException;
import dev.heddle.search.SearchState.HeadRecord;
import dev.heddle.search.SearchState.Header;
import dev.heddle.search.SearchState.Place;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The lines of a search's state as JSON. */
final class SearchJson {
  private static final JsonMapper MAPPER = new JsonMapper();

  private SearchJson() {}

  static String text(Map<String, Object> object) {
    return MAPPER.writeValueAsString(object);
  }

  static Map<String, Object> json(String format, Header header) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("format", format);
    object.put("search", header.search());
    object.put("costs", header.costs().json());
    return object;
  }

  static Header header(String format, String json) {
    JsonNode node = MAPPER.readTree(json);
    if (!required(node, "format").asString().equals(format)) {
      throw new InvalidInputException("its format is not " + format);
    }
    return new Header(required(node, "search").asString(), costs(required(node, "costs")));
  }

  static Map<String, Object> json(HeadRecord head) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("sample", head.place().sample());
    object.put("layer", head.place().layer());
    object.put("head", head.place().head());
    object.put("denseNanos", head.denseNanos());
    object.put("measured", head.measured().stream().map(Measured::json).toList());
    return object;
  }

  static HeadRecord headRecord(String json) {
    JsonNode node = MAPPER.readTree(json);
    List<Measured> measured = new ArrayList<>();
    required(node, "measured").forEach(one -> measured.add(measured(one)));
    return new HeadRecord(
        new Place(
            required(node, "sample").asInt(),
            required(node, "layer").asInt(),
            required(node, "head").asInt()),
        required(node, "denseNanos").asDouble(),
        measured);
  }

  /** What one head does to the model, if that is what the line says. */
  static Optional<HeadWeight> headWeight(String json) {
    JsonNode node = MAPPER.readTree(json);
    if (node.get("spreadLoss") == null) {
      return Optional.empty();
    }
    return Optional.of(
        new HeadWeight(
            required(node, "layer").asInt(),
            required(node, "head").asInt(),
            required(node, "wholeError").asDouble(),
            required(node, "error").asDouble(),
            required(node, "spreadLoss").asDouble(),
            required(node, "answerLoss").asDouble()));
  }

  /** Checks that a line is one of the two. */
  static void requireRecord(String json) {
    if (headWeight(json).isEmpty()) {
      headRecord(json);
    }
  }

  private static Measured measured(JsonNode node) {
    return new Measured(
        required(node, "pattern").asString(),
        MAPPER.convertValue(
            required(node, "options"), new TypeReference<LinkedHashMap<String, Object>>() {}),
        required(node, "nanos").asDouble(),
        required(node, "density").asDouble(),
        required(node, "error").asDouble(),
        required(node, "tailError").asDouble(),
        required(node, "recall").asDouble(),
        required(node, "tailRecall").asDouble());
  }

  /**
   * The costs in a search's output or in the notes of a heads file.
   *
   * @throws InvalidInputException if there are none, or they are no numbers from 0
   */
  static KernelCosts costsOf(String json) {
    JsonNode root;
    try {
      root = MAPPER.readTree(json);
    } catch (JacksonException malformed) {
      throw new InvalidInputException("it is not JSON: " + malformed.getOriginalMessage());
    }
    JsonNode costs = root.has("costs") ? root.get("costs") : root.at("/notes/costs");
    if (!costs.isObject()) {
      throw new InvalidInputException("\"costs\" is missing");
    }
    return costs(costs);
  }

  /** The costs that {@link KernelCosts#json} wrote. */
  static KernelCosts costs(JsonNode node) {
    SortedMap<String, Double> perToken = new TreeMap<>();
    JsonNode patterns = required(node, "indexNanosPerToken");
    for (String pattern : patterns.propertyNames()) {
      perToken.put(pattern, nanos(patterns, pattern));
    }
    return new KernelCosts(
        nanos(node, "rowNanos"), nanos(node, "blockNanos"), nanos(node, "columnNanos"), perToken);
  }

  private static double nanos(JsonNode node, String key) {
    JsonNode value = required(node, key);
    if (!value.isNumber() || !(value.asDouble() >= 0) || Double.isInfinite(value.asDouble())) {
      throw new InvalidInputException(
          "\"%s\" is %s; allowed: nanoseconds from 0".formatted(key, value));
    }
    return value.asDouble();
  }

  private static JsonNode required(JsonNode node, String key) {
    JsonNode member = node.get(key);
    if (member == null) {
      throw new InvalidInputException("\"" + key + "\" is missing");
    }
    return member;
  }
}
