package dev.heddle.runtime;

import dev.heddle.runtime.MInferenceFile.Head;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** Turns the text of an MInference pattern file into heads, and guesses nothing. */
final class MInferenceReader {
  private static final Pattern HEAD_NUMBER = Pattern.compile("0|[1-9]\\d{0,5}");

  private static final int FEWEST_COLUMNS = 30;
  private static final int FEWEST_OFFSETS = 50;
  private static final int KEY_BLOCKS = 100;

  private final String file;

  MInferenceReader(String file) {
    this.file = file;
  }

  /** For each layer, head number to what is said of it. */
  List<SortedMap<Integer, Head>> parse(String json) {
    List<SortedMap<Integer, Head>> layers = new ArrayList<>();
    StrictJson.parse(file, json)
        .forEachElement(layer -> layers.add(layer(layers.size(), layer.requireObject())));
    if (layers.isEmpty()) {
      throw new HeadsFileException(file, "", "it lists no layer; allowed: one object for each");
    }
    return layers;
  }

  static Head verticalSlash(int columns, int offsets) {
    PatternChoice choice =
        choice(
            "vertical-slash",
            "verticals",
            Math.max(columns, FEWEST_COLUMNS),
            "slashes",
            Math.max(offsets, FEWEST_OFFSETS));
    return new Head(choice, 0);
  }

  private static SortedMap<Integer, Head> layer(int number, JsonPlace layer) {
    SortedMap<Integer, Head> heads = new TreeMap<>();
    layer.forEachMember(member -> {
      if (!HEAD_NUMBER.matcher(member.getKey()).matches()) {
        throw layer.error(
            "layer %d: %s is no head; allowed: a head's number, from \"0\""
                .formatted(number, Quoted.text(member.getKey())));
      }
      int head = Integer.parseInt(member.getKey());
      heads.put(head, head("layer %d, head %d: ".formatted(number, head), member.getValue()));
    });
    return heads;
  }

  private static Head head(String where, JsonPlace place) {
    JsonNode node = place.node();
    if (!node.isArray() || node.size() != 4 || !node.get(0).isString() || !isScore(node.get(3))) {
      throw place.error(
          where + "is " + Quoted.json(node) + "; allowed: [type, v, s, score], the score from 0");
    }
    int v = count(where, place, node.get(1));
    int s = count(where, place, node.get(2));
    Number score = node.get(3).numberValue();
    return new Head(choice(where, place, v, s), score);
  }

  private static boolean isScore(JsonNode node) {
    return node.isNumber() && Double.isFinite(node.doubleValue()) && node.doubleValue() >= 0;
  }

  private static int count(String where, JsonPlace place, JsonNode node) {
    if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 0) {
      throw place.error(where + "a size is " + Quoted.json(node) + "; allowed: an integer from 0");
    }
    return node.intValue();
  }

  private static PatternChoice choice(String where, JsonPlace place, int v, int s) {
    String type = place.node().get(0).stringValue();
    return switch (type) {
      case "vertical_and_slash" -> verticalSlash(v, s).choice();
      case "stream_llm" -> {
        if (s < 1) {
          throw place.error(where + "stream_llm has a window of 0 keys; allowed: at least 1");
        }
        yield choice("a-shape", "sink", v, "local", s);
      }
      case "block_sparse" -> choice("block-sparse", "blocks", KEY_BLOCKS, "sink-blocks", 0);
      default ->
          throw place.error(
              where
                  + "the type is "
                  + Quoted.text(type)
                  + "; allowed: block_sparse, stream_llm, vertical_and_slash");
    };
  }

  private static PatternChoice choice(
      String pattern, String option, int value, String secondOption, int secondValue) {
    Map<String, Object> options = new LinkedHashMap<>();
    options.put(option, value);
    options.put(secondOption, secondValue);
    return new PatternChoice(pattern, options);
  }
}
