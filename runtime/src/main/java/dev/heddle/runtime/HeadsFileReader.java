package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.HeadsFileKey.Place;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * Turns the text of a heads file into a configuration, and accepts nothing that it does not know.
 */
final class HeadsFileReader {
  private final String file;

  HeadsFileReader(String file) {
    this.file = file;
  }

  HeadsConfig parse(String json) {
    JsonPlace root = StrictJson.parse(file, json).requireObject();
    requireFormat(root.required("format"));
    root.requireObject(HeadsFileKey.namesIn(Place.FILE));
    HeadsConfig.Builder builder = new HeadsConfig.Builder(file, shape(root.required("shape")));
    root.optional("notes").ifPresent(notes -> builder.notes(notes(notes)));
    root.optional("defaults")
        .ifPresent(defaults ->
            builder.defaults(choice(defaults.requireObject(HeadsFileKey.namesIn(Place.DEFAULTS)))));
    root.optional("heads")
        .ifPresent(heads -> heads.forEachElement(entry -> addEntry(builder, entry)));
    return builder.build();
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
    entry.optional("notes").ifPresent(notes -> builder.entryNotes(notes(notes)));
  }

  private static PatternChoice choice(JsonPlace place) {
    place.optional("notes").ifPresent(JsonPlace::requireObject);
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
  private static Map<String, Object> notes(JsonPlace place) {
    return StrictJson.members(place.requireObject().node());
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
