package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

class TextTokenizerTest {
  private static final Path BUNDLED = Path.of("../models/byte-llama-5m/tokenizer.json");

  @TempDir Path folder;

  @Test
  void tokensAreThoseOfTheTokenizersLibrary() throws IOException {
    var cases =
        JsonMapper.shared().readTree(Files.readString(GoldenFolder.path("bundled/tokenizer.json")));
    assertThat(cases.size()).isGreaterThan(4);
    try (TextTokenizer tokenizer = TextTokenizer.open(BUNDLED)) {
      for (var expected : cases) {
        int[] ids = expected.get("ids").values().stream().mapToInt(id -> id.intValue()).toArray();
        String text = expected.get("text").stringValue();
        assertThat(tokenizer.encode(text)).as(text).isEqualTo(ids);
        assertThat(tokenizer.decode(ids)).isEqualTo(expected.get("decoded").stringValue());
      }
    }
  }

  @Test
  void aContinuationHasNoTokensAroundIt() {
    try (TextTokenizer tokenizer = TextTokenizer.open(BUNDLED)) {
      assertThat(tokenizer.encode("ab")).containsExactly(256, 'a', 'b');
      assertThat(tokenizer.encodeContinuation("ab")).containsExactly('a', 'b');
    }
  }

  @Test
  void aLongTextIsNotCut() {
    try (TextTokenizer tokenizer = TextTokenizer.open(BUNDLED)) {
      assertThat(tokenizer.encode("x".repeat(100_000))).hasSize(100_001);
    }
  }

  @Test
  void aStreamShowsWholeCharactersOnly() {
    String text = "a naïve 織機 🧵.";
    try (TextTokenizer tokenizer = TextTokenizer.open(BUNDLED)) {
      TextStream stream = tokenizer.stream();
      StringBuilder shown = new StringBuilder();
      for (int token : tokenizer.encodeContinuation(text)) {
        String piece = stream.append(token);
        assertThat(piece).doesNotContain("\uFFFD");
        shown.append(piece);
      }
      assertThat(shown.append(stream.end())).hasToString(text);
    }
  }

  @Test
  void aStreamEndsWithWhatNeverBecameACharacter() {
    try (TextTokenizer tokenizer = TextTokenizer.open(BUNDLED)) {
      TextStream stream = tokenizer.stream();
      assertThat(stream.append('x')).isEqualTo("x");
      assertThat(stream.append(0xE7)).isEmpty(); // the first of three bytes
      assertThat(stream.end()).isEqualTo("\uFFFD");
    }
  }

  @Test
  void usageReportingIsOff() {
    try (TextTokenizer tokenizer = TextTokenizer.open(BUNDLED)) {
      assertThat(tokenizer.encode("")).containsExactly(256);
    }
    assertThat(System.getProperty("OPT_OUT_TRACKING")).isEqualTo("true");
    assertThat(System.getProperty("ai.djl.offline")).isEqualTo("true");
  }

  @Test
  void aMissingFileIsNamed() {
    Path file = folder.resolve("tokenizer.json");
    assertThatThrownBy(() -> TextTokenizer.open(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("there is no such file")
        .hasMessageContaining("allowed: the tokenizer.json of a model folder");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{", "[]", "{}", "{\"version\": \"1.0\", \"model\": {\"type\": \"Wrong\"}}"})
  void aBrokenFileIsNamed(String content) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    Files.writeString(file, content);
    assertThatThrownBy(() -> TextTokenizer.open(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("it is no tokenizer");
  }
}
