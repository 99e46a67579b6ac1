package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class SearchCommandTest {
  private static final Path MODEL = CommandRun.REPOSITORY.resolve("models/byte-llama-5m");

  @TempDir private Path folder;

  @Test
  void findsAHeadsFileThatCanBeUsed() throws IOException {
    Path out = folder.resolve("found.json");
    JsonNode report =
        CommandRun.json(
            "search",
            "--model",
            MODEL,
            "--samples",
            1,
            "--tokens",
            1200,
            "--speedup",
            2,
            "--html",
            folder.resolve("report.html"),
            "--out",
            out);
    assertThat(Files.readString(folder.resolve("report.html")))
        .startsWith("<!DOCTYPE html>")
        .contains("Heads found for byte-llama-5m", "48 heads in 6 layers");
    assertThat(report.get("format").asString()).isEqualTo("heddle-search/1");
    assertThat(report.get("speedup").asDouble()).isGreaterThanOrEqualTo(2);
    assertThat(report.get("heads").size()).isEqualTo(48);
    JsonNode head = report.get("heads").get(0);
    assertThat(head.get("chosen").get("pattern").asString()).isNotEmpty();
    assertThat(head.get("choices").size()).isGreaterThan(3);

    assertThat(CommandRun.heddle("check", out).succeeded().out()).contains("is valid");
    JsonNode notes = JsonMapper.builder().build().readTree(Files.readString(out)).get("notes");
    assertThat(notes.propertyNames())
        .contains("found", "date", "model", "samples", "goal", "speedup", "error", "costs");
    CommandRun.heddle("eval", "--model", MODEL, "--heads", out, "--tokens", 1200, "--questions", 2)
        .succeeded();
  }

  @Test
  void takesPromptsOfTheUsers() throws IOException {
    Path prompt = Files.writeString(folder.resolve("p.txt"), "Some words to read. ".repeat(40));
    Path out = folder.resolve("found.json");
    CommandRun run =
        CommandRun.heddle(
                "search",
                "--model",
                MODEL,
                "--prompt-file",
                prompt,
                "--tolerance",
                0.2,
                "--patterns",
                "a-shape",
                "--out",
                out)
            .succeeded();
    assertThat(run.out())
        .contains("a-shape", "as fast as dense", "output error")
        .doesNotContain("vertical-slash");
  }

  /** On a noisy machine too: nothing that is written hangs on a time but the costs. */
  @Test
  void theSameCostsAndSeedGiveTheSameFile() throws IOException {
    Path costs = Files.writeString(folder.resolve("costs.json"), COSTS);
    String[] found = new String[2];
    for (int i = 0; i < found.length; i++) {
      Path out = folder.resolve("found" + i + ".json");
      CommandRun.heddle(
              "search",
              "--model",
              MODEL,
              "--samples",
              1,
              "--tokens",
              600,
              "--speedup",
              1.5,
              "--costs",
              i == 0 ? costs : folder.resolve("found0.json"),
              "--threads",
              i + 1,
              "--out",
              out)
          .succeeded();
      // Only the date and the number of threads, which are remarks, may differ.
      found[i] =
          Files.readString(out)
              .replaceFirst("\"date\": \"[0-9-]+\"", "")
              .replaceFirst(" [12] threads", "");
    }
    assertThat(found[1]).isEqualTo(found[0]).contains("1234");
  }

  private static final String COSTS =
      """
      {"costs": {"rowNanos": 1234, "blockNanos": 10000, "columnNanos": 90,
                 "indexNanosPerToken": {"a-shape": 0.1, "block-sparse": 90, "vertical-slash": 60}}}
      """;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--speedup 2 --tolerance 0.1     | at most one of --speedup X and --tolerance T",
        "--speedup 0.5                   | the speedup is 0.5; allowed: from 1",
        "--for-tokens -1                 | the length is -1; allowed: from 0 tokens",
        "--tolerance 2                   | the tolerance is 2.0; allowed: 0 to 1",
        "--patterns warp                 | warp",
        "--samples 0                     | at least one sample",
        "--prompt-file none.txt          | none.txt: there is no such file",
        "--tokens 200000                 | too long",
        "--out none/heads.json           | cannot be written",
        "--costs none.json               | none.json: there is no such file",
        "--costs MODEL/heads.json        | heads.json holds no costs of a search: \"costs\" is missing",
        "--costs MODEL/README.md         | README.md holds no costs of a search: it is not JSON",
      })
  void refuses(String arguments, String message) {
    Path out = folder.resolve("found.json");
    CommandRun run =
        CommandRun.heddle(
            Stream.concat(
                    arguments.contains("--out")
                        ? Stream.of("search", "--model", MODEL)
                        : Stream.of("search", "--model", MODEL, "--out", out),
                    Arrays.stream(arguments.replace("MODEL", MODEL.toString()).split(" +")))
                .toArray());
    run.refused(message);
    assertThat(folder.toFile().list()).isEmpty();
  }
}
