package dev.heddle.runtime;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Parses JSON that came from outside, with errors that name the file and the place in it. */
final class StrictJson {
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

  private StrictJson() {}

  /**
   * Parses {@code json}.
   *
   * @param file what messages call it
   * @throws HeadsFileException if it is empty, no JSON, names a key twice, or is nested too deeply
   */
  static JsonPlace parse(String file, String json) {
    if (json.isBlank()) {
      throw new HeadsFileException(file, "", "it is empty; allowed: JSON");
    }
    try {
      return new JsonPlace(file, "", MAPPER.readTree(json));
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

  /** An object as maps, lists, text, numbers and booleans. */
  static Map<String, Object> members(JsonNode object) {
    return Collections.unmodifiableMap(
        MAPPER.convertValue(object, new TypeReference<LinkedHashMap<String, Object>>() {}));
  }
}
