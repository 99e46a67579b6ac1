package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class EvalCommandTest {
  private static final String MODEL =
      CommandRun.REPOSITORY.resolve("models/byte-llama-5m").toString();
  private static final String HEADS = MODEL + "/heads.json";

  @Test
  void judgesEachHeadsFileOnTheSamePrompts(@TempDir Path folder) throws IOException {
    JsonNode report =
        CommandRun.json(
            "eval",
            "--model",
            MODEL,
            "--heads",
            HEADS,
            "--tokens",
            1500,
            "--questions",
            4,
            "--tasks",
            "facts,needle,text",
            "--depths",
            "0,1",
            "--plot",
            folder.resolve("needles.png"),
            "--html",
            folder.resolve("report.html"));
    assertThat(report.get("format").asString()).isEqualTo("heddle-eval/1");
    assertThat(report.get("heads").valueStream().map(JsonNode::asString))
        .containsExactly("dense", HEADS);
    List<JsonNode> rows = report.get("results").valueStream().toList();
    assertThat(rows.stream().map(row -> row.get("task").asString()))
        .containsExactly("facts", "facts", "needle", "needle", "needle", "needle", "text", "text");
    assertThat(rows.stream().map(row -> row.get("heads").asString()).distinct()).hasSize(2);
    assertThat(rows)
        .allSatisfy(row -> {
          assertThat(row.get("tokens").asInt()).isEqualTo(1500);
          assertThat(row.get("firstTokenSeconds").asDouble()).isPositive();
          boolean dense = row.get("heads").asString().equals("dense");
          assertThat(row.get("density").asDouble() == 1).isEqualTo(dense);
        });
    JsonNode facts = rows.getFirst();
    assertThat(facts.get("asked").asInt()).isEqualTo(4);
    assertThat(facts.get("low").asDouble()).isLessThan(facts.get("high").asDouble());
    assertThat(rows.get(4).get("depth").asDouble()).isEqualTo(1);
    assertThat(rows.getLast().get("bitsPerByte").asDouble()).isBetween(0.5, 6.0);
    assertThat(ImageIO.read(folder.resolve("needles.png").toFile()).getHeight())
        .isGreaterThan(2 * NeedlePicture.CELL_HEIGHT);
    assertThat(Files.readString(folder.resolve("report.html")))
        .startsWith("<!DOCTYPE html>")
        .contains("Heads judged on byte-llama-5m", "of 4", "heads.json");
  }

  @Test
  void saysThatPromptsAreReadInChunks() {
    Object[] eval = {
      "eval",
      "--model",
      MODEL,
      "--tokens",
      1500,
      "--questions",
      2,
      "--chunk",
      512,
      "--tasks",
      "facts"
    };
    assertThat(CommandRun.heddle(eval).succeeded().out()).contains("in chunks of 512 tokens");
    JsonNode report = CommandRun.json(eval);
    assertThat(report.get("chunkTokens").asInt()).isEqualTo(512);
    assertThat(report.at("/results/0/density").asDouble()).isEqualTo(1);
  }

  @Test
  void saysWhereTheModelCannotDoATaskAtAll() {
    assertThat(
            CommandRun.heddle("eval", "--model", MODEL, "--tokens", 600, "--tasks", "variables")
                .succeeded()
                .out())
        .contains("variables", "0 of 1", "answers no question of variables with dense attention");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--tasks dance                    | there is no task \"dance\"; allowed: facts, needle",
        "--tokens 10                      | a length is 10; allowed: at least 64 tokens",
        "--tokens 131072                  | allowed: 131072, the positions of the model",
        "--depths 1.5                     | a depth is 1.5; allowed: 0 to 1",
        "--prompts 0                      | allowed: at least 1 of each",
        "--chunk -1                       | --chunk is -1; allowed: an integer from 1",
        "--no-dense                       | leaves nothing to judge",
        "--heads none.json                | none.json",
        "--heads HEADS --heads HEADS      | twice",
        "--text none.txt                  | none.txt: there is no such file",
        "--backend warp                   | warp",
        "--plot o.png                     | --plot paints needles; add needle to --tasks",
        "--html no/o.html                 | o.html cannot be written: the folder",
      })
  void refuses(String arguments, String message) {
    CommandRun.heddle(
            Stream.concat(
                    Stream.of("eval", "--model", MODEL),
                    Arrays.stream(arguments.replace("HEADS", HEADS).split(" +")))
                .toArray())
        .refused(message);
  }
}
