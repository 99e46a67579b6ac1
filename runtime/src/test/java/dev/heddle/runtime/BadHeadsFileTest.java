package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way in which a heads file can be wrong, and the message that says so. */
class BadHeadsFileTest {
  private static final PatternRegistry REGISTRY = PatternRegistry.discover();

  private static final String FORMAT = "\"format\": \"heddle-heads/1\"";
  private static final String SHAPE =
      "\"shape\": {\"layers\": 6, \"queryHeads\": 8, \"keyValueHeads\": 2, \"headDim\": 64}";
  private static final String DEFAULTS = "\"defaults\": {\"pattern\": \"dense\"}";

  /** A file that is right but for {@code members}. */
  private static String file(String... members) {
    return "{" + FORMAT + ", " + SHAPE + ", " + String.join(", ", members) + "}";
  }

  /** A file with one entry, right but for {@code entry}. */
  private static String entry(String entry) {
    return file(DEFAULTS, "\"heads\": [{" + entry + "}]");
  }

  private static String assigned(String layers, String heads) {
    return entry("\"layers\": " + layers + ", \"heads\": " + heads + ", \"pattern\": \"dense\"");
  }

  /** A file whose first entry gives A-shape these options. */
  private static String options(String options) {
    return entry(
        "\"layers\": \"0\", \"heads\": \"0\", \"pattern\": \"a-shape\", \"options\": " + options);
  }

  private static String shape(String members) {
    return "{" + FORMAT + ", " + DEFAULTS + ", \"shape\": {" + members + "}}";
  }

  static Stream<Arguments> notJson() {
    return Stream.of(
        arguments("empty", "", "", "it is empty; allowed: JSON"),
        arguments("blank", " \n\t", "", "it is empty; allowed: JSON"),
        arguments("cut off", file(DEFAULTS).substring(0, 40), "line 1, column", "not JSON: "),
        arguments("two values", file(DEFAULTS) + " {}", "line 1, column", "not JSON: Trailing"),
        arguments("garbage behind", file(DEFAULTS) + "\n]", "line 2, column 1", "not JSON: "),
        arguments("comment", "// heads\n" + file(DEFAULTS), "line 1, column", "not JSON: "),
        arguments("comma at the end", file(DEFAULTS + ", "), "line 1, column", "not JSON: "),
        arguments("single quotes", "{'format': 1}", "line 1, column", "not JSON: "),
        arguments("NaN", options("{\"sink\": NaN}"), "line 1, column", "not JSON: "),
        arguments("leading zero", options("{\"sink\": 007}"), "line 1, column", "not JSON: "),
        arguments("key twice", file(DEFAULTS, DEFAULTS), "line 1, column", "\"defaults\""),
        arguments(
            "option twice", options("{\"sink\": 1, \"sink\": 2}"), "line 1, column", "\"sink\""),
        arguments(
            "key twice in notes",
            file(DEFAULTS, "\"notes\": {\"a\": 1, \"a\": 1}"),
            "line 1, column",
            "\"a\""),
        arguments(
            "deep nesting",
            file(DEFAULTS, "\"notes\": {\"a\": " + "[".repeat(100_000)),
            "",
            "not JSON: nested deeper than 32 levels"),
        arguments(
            "a number of 5,000 digits",
            options("{\"sink\": " + "9".repeat(5000) + "}"),
            "",
            "number in it is too long"));
  }

  static Stream<Arguments> wrongStructure() {
    return Stream.of(
        arguments("array", "[1, 2]", "", "is [1,2]; allowed: an object"),
        arguments("null", "null", "", "is null; allowed: an object"),
        arguments("no format", "{" + SHAPE + "}", "", "\"format\" is missing"),
        arguments(
            "next format",
            "{\"format\": \"heddle-heads/2\", \"future\": 1}",
            "format",
            "is \"heddle-heads/2\"; allowed: \"heddle-heads/1\""),
        arguments("format of wrong type", "{\"format\": 1}", "format", "is 1; allowed: a string"),
        arguments("no shape", "{" + FORMAT + ", " + DEFAULTS + "}", "", "\"shape\" is missing"),
        arguments(
            "unknown key",
            file(DEFAULTS, "\"head\": []"),
            "head",
            "unknown key; allowed: defaults, format, heads, notes, shape"),
        arguments(
            "unknown key in an entry",
            entry("\"layer\": \"0\""),
            "heads[0].layer",
            "unknown key; allowed: heads, layers, notes, options, pattern"),
        arguments(
            "unknown key in defaults",
            file("\"defaults\": {\"pattern\": \"dense\", \"layers\": \"0\"}"),
            "defaults.layers",
            "unknown key; allowed: notes, options, pattern"),
        arguments(
            "key that is no word",
            file(DEFAULTS, "\"a\\u001b[31m b\": 1"),
            "[\"a\\u001B[31m b\"]",
            "unknown key"),
        arguments("notes are text", file(DEFAULTS, "\"notes\": \"x\""), "notes", "an object"),
        arguments("defaults are text", file("\"defaults\": \"dense\""), "defaults", "an object"),
        arguments(
            "defaults name no pattern",
            file("\"defaults\": {}"),
            "defaults",
            "\"pattern\" is missing"),
        arguments(
            "heads are an object", file("\"heads\": {}"), "heads", "is {}; allowed: an array"),
        arguments(
            "entry is text",
            file("\"heads\": [\"0\"]"),
            "heads[0]",
            "is \"0\"; allowed: an object"),
        arguments("no layers", entry("\"heads\": \"0\""), "heads[0]", "\"layers\" is missing"),
        arguments("no heads", entry("\"layers\": \"0\""), "heads[0]", "\"heads\" is missing"),
        arguments(
            "no pattern",
            entry("\"layers\": \"0\", \"heads\": \"0\""),
            "heads[0]",
            "\"pattern\" is missing"),
        arguments(
            "layers are a number", assigned("0", "\"0\""), "heads[0].layers", "is 0; allowed"),
        arguments("heads are a list", assigned("\"0\"", "[0, 1]"), "heads[0].heads", "is [0,1]"),
        arguments(
            "options are a list", options("[64, 512]"), "heads[0].options", "allowed: an object"));
  }

  static Stream<Arguments> wrongShape() {
    String rest = ", \"queryHeads\": 8, \"keyValueHeads\": 2, \"headDim\": 64";
    return Stream.of(
        arguments("no layers", shape("\"queryHeads\": 8"), "shape", "\"layers\" is missing"),
        arguments("0 layers", shape("\"layers\": 0" + rest), "shape.layers", "is 0; allowed: an"),
        arguments("half a layer", shape("\"layers\": 1.5" + rest), "shape.layers", "is 1.5; allow"),
        arguments("layers in text", shape("\"layers\": \"6\"" + rest), "shape.layers", "is \"6\";"),
        arguments(
            "too large a number",
            shape("\"layers\": 99999999999" + rest),
            "shape.layers",
            "is 99999999999; allowed: an integer from 1 to 2147483647"),
        arguments(
            "more heads than memory",
            shape("\"layers\": 2000000000" + rest),
            "shape",
            "2000000000 layers of 8 query heads are too many; allowed: 1048576 heads in all"),
        arguments(
            "no whole groups",
            shape("\"layers\": 6, \"queryHeads\": 8, \"keyValueHeads\": 3, \"headDim\": 64"),
            "shape",
            "queryHeads (8) must be a multiple of keyValueHeads (3)"),
        arguments(
            "unknown key",
            shape("\"hidden\": 1, \"layers\": 6" + rest),
            "shape.hidden",
            "allowed:"));
  }

  static Stream<Arguments> wrongHeads() {
    return Stream.of(
        arguments(
            "reversed range",
            assigned("\"2-0\"", "\"0\""),
            "heads[0].layers",
            "the range \"2-0\" is reversed; allowed: \"0-2\""),
        arguments(
            "open range", assigned("\"2-\"", "\"0\""), "heads[0].layers", "\"2-\" is no number"),
        arguments("empty range", assigned("\"\"", "\"0\""), "heads[0].layers", "\"\" is no number"),
        arguments(
            "stray comma", assigned("\"0,\"", "\"0\""), "heads[0].layers", "\"\" is no number"),
        arguments("blank", assigned("\"0, 1\"", "\"0\""), "heads[0].layers", "\" 1\" is no number"),
        arguments("all", assigned("\"all\"", "\"0\""), "heads[0].layers", "\"all\" is no number"),
        arguments(
            "negative", assigned("\"-1\"", "\"0\""), "heads[0].layers", "\"-1\" is no number"),
        arguments(
            "Arabic digits",
            assigned("\"\u0663\"", "\"0\""),
            "heads[0].layers",
            "is no number or range"),
        arguments(
            "number beyond int",
            assigned("\"0\"", "\"99999999999\""),
            "heads[0].heads",
            "\"99999999999\" is no number or range"),
        arguments(
            "layer out of range",
            assigned("\"5-6\"", "\"0\""),
            "heads[0].layers",
            "6 in \"5-6\" is out of range; allowed: 0 to 5"),
        arguments(
            "head out of range",
            assigned("\"0\"", "\"0-3,8\""),
            "heads[0].heads",
            "8 in \"8\" is out of range; allowed: 0 to 7"),
        arguments(
            "head named twice",
            assigned("\"0\"", "\"0-3,2\""),
            "heads[0].heads",
            "2 is named twice; allowed: once"),
        arguments(
            "head claimed twice",
            file(
                DEFAULTS,
                "\"heads\": [{\"layers\": \"0-3\", \"heads\": \"1\", \"pattern\": \"dense\"},"
                    + "{\"layers\": \"2\", \"heads\": \"0-2\", \"pattern\": \"dense\"}]"),
            "heads[1]",
            "layer 2, head 1 is already claimed by heads[0]; allowed: one entry for a head"),
        arguments(
            "heads left over",
            file("\"heads\": [{\"layers\": \"0-5\", \"heads\": \"0-6\", \"pattern\": \"dense\"}]"),
            "heads",
            "6 of 48 heads have no pattern, the first is layer 0, head 7; claim them, or add"
                + " \"defaults\""),
        arguments("no heads at all", file("\"heads\": []"), "heads", "48 of 48 heads have no"));
  }

  static Stream<Arguments> wrongPatterns() {
    return Stream.of(
        arguments(
            "unknown pattern",
            entry("\"layers\": \"0\", \"heads\": \"0\", \"pattern\": \"ashape\""),
            "heads[0].pattern",
            "no pattern is called \"ashape\"; there are: a-shape from dev.heddle.pattern.ashape ("),
        arguments(
            "unknown default pattern",
            file("\"defaults\": {\"pattern\": \"\"}"),
            "defaults.pattern",
            "no pattern is called \"\""),
        arguments(
            "pattern is a number", file("\"defaults\": {\"pattern\": 1}"), "defaults", "is 1"),
        arguments(
            "unknown option",
            options("{\"sinks\": 1}"),
            "heads[0].options.sinks",
            "unknown option 'sinks'; allowed: local, sink"),
        arguments(
            "option of a pattern that has none",
            file("\"defaults\": {\"pattern\": \"dense\", \"options\": {\"sink\": 1}}"),
            "defaults.options.sink",
            "unknown option 'sink'; there are none"),
        arguments(
            "option below its range",
            options("{\"sink\": -1}"),
            "heads[0].options.sink",
            "option 'sink' is -1; allowed: an integer from 0 (tokens)"),
        arguments(
            "option beyond int",
            options("{\"sink\": 2147483648}"),
            "heads[0].options.sink",
            "option 'sink' is 2147483648; allowed: an integer from 0 (tokens)"),
        arguments(
            "option beyond long",
            options("{\"sink\": 99999999999999999999}"),
            "heads[0].options.sink",
            "option 'sink' is 99999999999999999999; allowed: an integer"),
        arguments(
            "option with a fraction",
            options("{\"sink\": 1.5}"),
            "heads[0].options.sink",
            "is 1.5;"),
        arguments(
            "option beyond float64",
            options("{\"sink\": 1e999}"),
            "heads[0].options.sink",
            "allowed: a finite number, true or false"),
        arguments(
            "option as text",
            options("{\"sink\": \"64\"}"),
            "heads[0].options.sink",
            "is the text \"64\"; allowed: an integer from 0 (tokens)"),
        arguments(
            "option is a flag", options("{\"sink\": true}"), "heads[0].options.sink", "true;"),
        arguments(
            "option is null", options("{\"sink\": null}"), "heads[0].options.sink", "is null"),
        arguments(
            "option is a list", options("{\"sink\": [1]}"), "heads[0].options.sink", "is [1]"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"notJson", "wrongStructure", "wrongShape", "wrongHeads", "wrongPatterns"})
  void isRefusedWithFilePlaceAndReason(String name, String json, String place, String problem) {
    HeadsFileException refusal =
        catchThrowableOfType(
            HeadsFileException.class,
            () -> AttentionPlan.resolve(HeadsConfig.parse(json, "heads.json"), REGISTRY));

    assertThat(refusal).as(name).isNotNull();
    assertThat(refusal.file()).isEqualTo("heads.json");
    assertThat(refusal.place()).startsWith(place);
    assertThat(refusal)
        .hasMessageStartingWith("heads.json: " + place)
        .hasMessageContaining(problem);
    assertThat(refusal.getMessage()).hasLineCount(1).hasSizeLessThan(1000);
  }

  @Test
  void aLongValueIsCutShort() {
    assertThatThrownBy(
            () -> HeadsConfig.parse("{\"format\": \"" + "x".repeat(10_000) + "\"}", "long.json"))
        .isInstanceOf(HeadsFileException.class)
        .hasMessage("long.json: format: is \"" + "x".repeat(59) + "…; allowed: \"heddle-heads/1\"");
  }

  @Test
  void aMissingFileIsNamed(@TempDir Path folder) {
    assertUnreadable(folder.resolve("none.json"), "there is no such file");
  }

  @Test
  void aDirectoryIsNoHeadsFile(@TempDir Path folder) {
    assertUnreadable(folder, "it is a directory; allowed: a JSON file");
  }

  @Test
  void aFileBelowAFileIsMissing(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "{}");
    assertUnreadable(file.resolve("heads.json"), "it cannot be read: ");
  }

  @Test
  void textMustBeUtf8(@TempDir Path folder) throws IOException {
    Path latin1 = folder.resolve("latin1.json");
    Files.write(latin1, "{\"f\u00F6rmat\": 1}".getBytes(StandardCharsets.ISO_8859_1));
    assertUnreadable(latin1, "it is not UTF-8 text; allowed: JSON in UTF-8");

    Path utf16 = folder.resolve("utf16.json");
    Files.write(utf16, file(DEFAULTS).getBytes(StandardCharsets.UTF_16));
    assertUnreadable(utf16, "it is not UTF-8 text; allowed: JSON in UTF-8");
  }

  @Test
  void aHugeFileIsNotReadToItsEnd(@TempDir Path folder) throws IOException {
    Path huge = folder.resolve("huge.json");
    Files.write(huge, new byte[HeadsFileText.MOST_BYTES + 1]);
    assertUnreadable(huge, "it is larger than a heads file may be; allowed: 16777216 bytes");
  }

  private static void assertUnreadable(Path file, String problem) {
    assertThatThrownBy(() -> HeadsConfig.read(file))
        .isInstanceOf(HeadsFileException.class)
        .hasMessageStartingWith(file + ": " + problem);
  }
}
