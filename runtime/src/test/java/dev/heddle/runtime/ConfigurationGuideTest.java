package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.runtime.HeadsFileKey.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.NullNode;
import tools.jackson.databind.node.ObjectNode;

/** docs/configuration.md says what the code does. */
class ConfigurationGuideTest {
  private static final Path FILE = Path.of("..", "docs", "configuration.md");
  private static final PatternRegistry REGISTRY = PatternRegistry.discover();

  private static final String EVERY_KEY =
      """
      {
        "format": "heddle-heads/1",
        "notes": {},
        "shape": {"layers": 1, "queryHeads": 2, "keyValueHeads": 1, "headDim": 64},
        "defaults": {"pattern": "dense", "options": {}, "notes": {}},
        "heads": [{"layers": "0", "heads": "0-1", "pattern": "dense", "options": {}, "notes": {}}]
      }
      """;

  @Test
  void isWhatTheCodeSays() throws IOException {
    String text = new ConfigurationGuide(REGISTRY).text();
    if (Boolean.getBoolean("heddle.write")) {
      Files.writeString(FILE, text);
    }
    assertThat(Files.exists(FILE) ? Files.readString(FILE) : "")
        .as(
            "docs/configuration.md is not what the code says; to write it anew: ./mvnw -pl runtime"
                + " -am test -Dtest=ConfigurationGuideTest"
                + " -Dsurefire.failIfNoSpecifiedTests=false -Dheddle.write=true")
        .isEqualTo(text);
  }

  @Test
  void itsExampleUsesEveryOptionOfEveryPatternAndCanBeUsed() {
    HeadsConfig example = new ConfigurationGuide(REGISTRY).example();
    HeadsConfig read = HeadsConfig.parse(example.toJson(), "example");
    assertThat(read).isEqualTo(example);
    AttentionPlan.resolve(read, REGISTRY);
    for (PatternRegistry.Entry entry : REGISTRY.entries()) {
      assertThat(example.toJson()).contains('"' + entry.pattern().name() + '"');
      assertThat(entry.pattern().options())
          .allSatisfy(option -> assertThat(example.toJson()).contains('"' + option.name() + '"'));
    }
  }

  @ParameterizedTest
  @EnumSource
  void keysAreRequiredAsDeclared(HeadsFileKey key) {
    ObjectNode file = parsed();
    in(file, key.place()).remove(key.key());
    if (key.required()) {
      assertThatThrownBy(() -> HeadsConfig.parse(file.toString(), "file"))
          .hasMessageContaining("\"" + key.key() + "\" is missing");
    } else {
      HeadsConfig.parse(file.toString(), "file");
    }
  }

  @ParameterizedTest
  @EnumSource
  void valuesAreOfTheDeclaredType(HeadsFileKey key) {
    ObjectNode file = parsed();
    in(file, key.place()).set(key.key(), NullNode.getInstance());
    assertThatThrownBy(() -> HeadsConfig.parse(file.toString(), "file"))
        .isInstanceOf(HeadsFileException.class)
        .hasMessageContaining(key.key())
        .hasMessageEndingWith("allowed: " + key.value());
  }

  private static ObjectNode parsed() {
    return (ObjectNode) JsonMapper.builder().build().readTree(EVERY_KEY);
  }

  private static ObjectNode in(ObjectNode file, Place place) {
    return (ObjectNode)
        switch (place) {
          case FILE -> file;
          case SHAPE -> file.get("shape");
          case DEFAULTS -> file.get("defaults");
          case ENTRY -> file.get("heads").get(0);
        };
  }
}
