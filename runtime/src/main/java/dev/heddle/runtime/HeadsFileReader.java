package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.HeadsFileKey.Place;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Turns the text of a heads file into a configuration, and accepts nothing that it does not know.
 */
final class HeadsFileReader {
  private static final int DEEPEST_NESTING = 32;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(DEEPEST_NESTING).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final String file;

  HeadsFileReader(String file) {
    this.file = file;
  }

  HeadsConfig parse(String json) {
    JsonPlace root = new JsonPlace(file, "", tree(json)).requireObject();
    requireFormat(root.required("format"));
    root.requireObject(HeadsFileKey.namesIn(Place.FILE));
    checkNotes(root);
    HeadsConfig.Builder builder = new HeadsConfig.Builder(file, shape(root.required("shape")));
    root.optional("defaults")
        .ifPresent(defaults ->
            builder.defaults(choice(defaults.requireObject(HeadsFileKey.namesIn(Place.DEFAULTS)))));
    root.optional("heads")
        .ifPresent(heads -> heads.forEachElement(entry -> addEntry(builder, entry)));
    return builder.build();
  }

  private JsonNode tree(String json) {
    if (json.isBlank()) {
      throw new HeadsFileException(file, "", "it is empty; allowed: a JSON object");
    }
    try {
      return MAPPER.readTree(json);
    } catch (JacksonException bad) {
      throw new HeadsFileException(file, place(bad), "not JSON: " + problem(bad), bad);
    }
  }

  private static String place(JacksonException bad) {
    TokenStreamLocation location = bad.getLocation();
    return location == null || location.getLineNr() < 1
        ? ""
        : "line " + location.getLineNr() + ", column " + location.getColumnNr();
  }

  private static String problem(JacksonException bad) {
    if (bad
        instanceof StreamConstraintsException) { // whose message speaks of the parser's settings
      return "nested deeper than "
          + DEEPEST_NESTING
          + " levels, or a name, text or number in it is too long";
    }
    return bad.getOriginalMessage().lines().findFirst().orElse("");
  }

  private static void requireFormat(JsonPlace format) {
    if (!format.string().equals(HeadsConfig.FORMAT)) {
      throw format.wrong("\"" + HeadsConfig.FORMAT + "\"");
    }
  }

  private ModelShape shape(JsonPlace shape) {
    shape.requireObject(HeadsFileKey.namesIn(Place.SHAPE));
    int layers = shape.required("layers").positiveInteger();
    int queryHeads = shape.required("queryHeads").positiveInteger();
    int keyValueHeads = shape.required("keyValueHeads").positiveInteger();
    int headDim = shape.required("headDim").positiveInteger();
    try {
      return new ModelShape(layers, queryHeads, keyValueHeads, headDim);
    } catch (InvalidInputException bad) {
      throw new HeadsFileException(file, shape.path(), bad);
    }
  }

  private static void addEntry(HeadsConfig.Builder builder, JsonPlace entry) {
    entry.requireObject(HeadsFileKey.namesIn(Place.ENTRY));
    builder.assign(
        entry.required("layers").string(), entry.required("heads").string(), choice(entry));
  }

  private static PatternChoice choice(JsonPlace place) {
    checkNotes(place);
    Map<String, Object> options = new LinkedHashMap<>();
    place
        .optional("options")
        .ifPresent(given ->
            given
                .requireObject()
                .forEachMember(
                    member -> options.put(member.getKey(), optionValue(member.getValue()))));
    return new PatternChoice(place.required("pattern").string(), options);
  }

  /** Remarks for people: any object will do. */
  private static void checkNotes(JsonPlace place) {
    place.optional("notes").ifPresent(JsonPlace::requireObject);
  }

  /** A value as it is written. Whether the option takes it is known when its pattern is. */
  private static Object optionValue(JsonPlace value) {
    JsonNode node = value.node();
    if (node.isBoolean()) {
      return node.booleanValue();
    }
    if (node.isString()) {
      return node.stringValue();
    }
    if (node.isIntegralNumber()) {
      return node.canConvertToLong()
          ? PatternChoice.narrow(node.longValue())
          : node.bigIntegerValue();
    }
    if (node.isNumber() && Double.isFinite(node.doubleValue())) {
      return node.doubleValue();
    }
    throw value.wrong("a finite number, true or false");
  }
}
