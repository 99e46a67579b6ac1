package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.cli.DemoReport.Setting;
import dev.heddle.cli.DemoRun.Answer;
import dev.heddle.search.Fact;
import dev.heddle.search.FactExamBuilder;
import dev.heddle.search.Reading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class DemoCommandTest {
  @TempDir private Path folder;

  @Test
  void readsTheSameTextTwiceAndAsksTheSameQuestions() {
    // Longer than the length below which every head is dense.
    JsonNode demo = CommandRun.json("demo", "--tokens", 1300, "--facts", 10, "--questions", 3);
    assertThat(demo.get("tokens").asInt()).isEqualTo(1300);
    JsonNode dense = demo.get("dense");
    JsonNode sparse = demo.get("sparse");
    assertThat(dense.get("density").asDouble()).isEqualTo(1);
    assertThat(dense.get("firstTokenSeconds").asDouble()).isPositive();
    assertThat(sparse.get("attentionSeconds").asDouble()).isPositive();
    assertThat(sparse.get("answers").size()).isEqualTo(3);
    assertThat(words(sparse)).isEqualTo(words(dense));
    assertThat(demo.get("speedup").asDouble()).isPositive();
  }

  @Test
  void runsDenseAlone() {
    CommandRun run =
        CommandRun.heddle("demo", "--tokens", 500, "--facts", 4, "--questions", 1, "--dense-only")
            .succeeded();
    assertThat(run.out())
        .contains("reads 500 tokens", "time to first token", "100.0 %", "of 1", "For example")
        .doesNotContain("sparse");
  }

  /** A model with so few positions that questions and answers do not fit behind the text. */
  @Test
  void aTextIsShortenedWhereThePositionsEnd() throws IOException {
    Path model = Files.createDirectories(folder.resolve("models/byte-llama-5m"));
    Path bundled = CommandRun.REPOSITORY.resolve("models/byte-llama-5m");
    for (String file : List.of("model.safetensors", "tokenizer.json", "heads.json")) {
      Files.createSymbolicLink(model.resolve(file), bundled.resolve(file));
    }
    String config = Files.readString(bundled.resolve("config.json"));
    String positions = "\"max_position_embeddings\": ";
    assertThat(config).contains(positions + "131072");
    Files.writeString(
        model.resolve("config.json"), config.replace(positions + "131072", positions + "800"));
    Files.createSymbolicLink(folder.resolve("texts"), CommandRun.REPOSITORY.resolve("texts"));
    Object[] demo = {"demo", "--facts", 5, "--questions", 3, "--sparse-only", "--json", "--tokens"};
    CommandRun whole = CommandRun.at(folder, with(demo, 600)).succeeded();
    assertThat(whole.object().get("tokens").asInt()).isEqualTo(600);
    CommandRun shortened = CommandRun.at(folder, with(demo, 800));
    assertThat(shortened.status()).as(shortened.err()).isZero();
    int tokens = shortened.object().get("tokens").asInt();
    assertThat(tokens).isBetween(601, 799);
    assertThat(shortened.err())
        .contains(
            "heddle: the text is shortened to %d tokens: questions and answers take %d more, and the model has 800 positions"
                .formatted(tokens, 800 - tokens));
    // The same facts are asked for.
    assertThat(words(shortened.object().get("sparse")))
        .isEqualTo(words(whole.object().get("sparse")));
    CommandRun.at(folder, with(demo, 801)).refusedAsJson("--tokens is 801; allowed: up to 800");
    CommandRun.at(folder, "demo", "--tokens", 800, "--facts", 40)
        .refused("fewer --facts or more --tokens");
  }

  private static Object[] with(Object[] arguments, Object last) {
    return Stream.concat(Arrays.stream(arguments), Stream.of(last)).toArray();
  }

  @Test
  void usesAnotherHeadsFile() throws IOException {
    Path heads =
        Files.writeString(
            folder.resolve("heads.json"),
            """
            {"format": "heddle-heads/1",
             "shape": {"layers": 6, "queryHeads": 8, "keyValueHeads": 2, "headDim": 64},
             "defaults": {"pattern": "a-shape", "options": {"sink": 64, "local": 64}}}
            """);
    JsonNode demo =
        CommandRun.json(
            "demo",
            "--tokens",
            1500,
            "--facts",
            5,
            "--questions",
            1,
            "--sparse-only",
            "--heads",
            heads);
    assertThat(demo.get("sparse").get("density").asDouble()).isLessThan(0.6);
    assertThat(demo.get("dense")).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--dense-only --sparse-only          | leave nothing to run",
        "--tokens 0                          | prompt of 0 tokens",
        "--tokens 131073                     | --tokens is 131073; allowed: up to 131072",
        "--tokens 3000000 --facts 1          | the text has 1516588 characters",
        "--tokens 1000 --facts 200           | fewer --facts or more --tokens",
        "--facts 3 --questions 4             | no more questions than facts",
        "--heads none.json                   | none.json",
        "--backend warp                      | warp",
        "--tokens many                       | --tokens",
      })
  void refuses(String arguments, String message) {
    CommandRun run =
        CommandRun.heddle(
            Stream.concat(Stream.of("demo"), Arrays.stream(arguments.split(" +"))).toArray());
    run.refused(message);
  }

  @ParameterizedTest
  @CsvSource({"10, 10, true", "10, 5, true", "10, 4, false", "0, 0, true"})
  void failsWhenSparseHeadsLoseMostAnswers(int denseRight, int sparseRight, boolean succeeded) {
    DemoReport report =
        new DemoReport(
            new Setting("model", "text", "heads", "vector", 2),
            new FactExamBuilder.Size(1000, 10, 10, 1),
            Map.of(DemoReport.DENSE, run(denseRight), DemoReport.SPARSE, run(sparseRight)));
    assertThat(report.succeeded()).isEqualTo(succeeded);
  }

  private static DemoRun run(int right) {
    Fact fact = new Fact("bobi", "123456");
    return new DemoRun(
        new Reading(1, List.of(), List.of()),
        Collections.nCopies(right, new Answer(fact, "123456]")));
  }

  @Test
  void anAnswerIsRightWhenEveryDigitIs() {
    Fact fact = new Fact("bobi", "123456");
    assertThat(new Answer(fact, "123456]").right()).isTrue();
    assertThat(new Answer(fact, "123457]").right()).isFalse();
    assertThat(new Answer(fact, "1234567").right()).isFalse();
    assertThat(new Answer(fact, "12345]").right()).isFalse();
  }

  private static List<String> words(JsonNode run) {
    return run.get("answers").valueStream().map(answer -> answer.get("word").asString()).toList();
  }
}
