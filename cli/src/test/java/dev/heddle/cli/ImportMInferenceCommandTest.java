package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ImportMInferenceCommandTest {
  private static final Path PUBLISHED =
      CommandRun.REPOSITORY.resolve("../shared/minference-configs").normalize();
  private static final String ONE_LAYER =
      "[{\"0\": [\"vertical_and_slash\", 30, 800, 0.5], \"3\": [\"stream_llm\", 100, 800, 0.5]}]";

  @TempDir private Path folder;

  @Test
  void writesAHeadsFile() throws IOException {
    Path file = Files.writeString(folder.resolve("patterns.json"), ONE_LAYER);
    Path out = folder.resolve("heads.json");
    CommandRun run =
        CommandRun.heddle(
                "import",
                "minference",
                file,
                "--out",
                out,
                "--key-value-heads",
                2,
                "--head-dim",
                64)
            .succeeded();
    assertThat(run.out())
        .contains(out + ": 1 layers, 4 query heads, 2 key/value heads, head dim 64")
        .contains("2 heads are not named")
        .contains("sink=100 local=800");
    assertThat(CommandRun.heddle("check", out).succeeded().out()).contains("a-shape");
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("patterns.json", "heads.json");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--head-dim 64                                  | together",
        "--key-value-heads 3 --head-dim 64              | must be a multiple of keyValueHeads",
        "--model DIR --head-dim 64                      | give one of",
        "--model DIR                                    | it has 1 layers; allowed: the model's 6",
        "                                               | its name tells no model",
      })
  void refuses(String arguments, String message) throws IOException {
    Path file = Files.writeString(folder.resolve("patterns.json"), ONE_LAYER);
    Path out = Files.writeString(folder.resolve("heads.json"), "old");
    String model = CommandRun.REPOSITORY.resolve("models/byte-llama-5m").toString();
    Stream<String> words =
        arguments == null
            ? Stream.of()
            : Arrays.stream(arguments.replace("DIR", model).split(" +"));
    CommandRun.heddle(
            Stream.concat(Stream.of("import", "minference", file, "--out", out), words).toArray())
        .refused(message);
    assertThat(out).hasContent("old");
  }

  @Test
  void allPublishedFilesSayTheSameAfterwards() throws IOException {
    assumeThat(Files.isDirectory(PUBLISHED))
        .as("the published pattern files lie in %s, which is not part of Heddle", PUBLISHED)
        .isTrue();
    int files = 0;
    try (Stream<Path> published = Files.list(PUBLISHED)) {
      for (Path file : published.sorted().toList()) {
        Path out = folder.resolve(file.getFileName());
        JsonNode imported = CommandRun.json("import", "minference", file, "--out", out);
        JsonNode original = JsonMapper.builder().build().readTree(Files.readString(file));
        assertThat(imported.get("layers").size())
            .as("layers of %s", file)
            .isEqualTo(original.size());
        assertThat(counts(CommandRun.json("check", out)))
            .as("%s", file)
            .isEqualTo(counted(original));
        files++;
      }
    }
    assertThat(files).isEqualTo(14);
  }

  /** Heads for each pattern and sizes, layer by layer, as the published file says it. */
  private static Map<String, Integer> counted(JsonNode layers) {
    Map<String, Integer> counts = new TreeMap<>();
    for (int layer = 0; layer < layers.size(); layer++) {
      for (JsonNode head : layers.get(layer)) {
        String pattern = head.get(0).asString().equals("stream_llm") ? "a-shape" : "vertical-slash";
        counts.merge(
            layer + ": " + pattern + " " + head.get(1) + " " + head.get(2), 1, Integer::sum);
      }
    }
    return counts;
  }

  /** The same, as the checked heads file says it. */
  private static Map<String, Integer> counts(JsonNode checked) {
    Map<String, Integer> counts = new TreeMap<>();
    for (int layer = 0; layer < checked.get("layers").size(); layer++) {
      for (JsonNode number : checked.get("layers").get(layer)) {
        JsonNode assignment = checked.get("assignments").get(number.asInt());
        String pattern = assignment.get("pattern").asString();
        JsonNode options = assignment.get("options");
        boolean shape = pattern.equals("a-shape");
        counts.merge(
            layer
                + ": "
                + pattern
                + " "
                + options.get(shape ? "sink" : "verticals")
                + " "
                + options.get(shape ? "local" : "slashes"),
            1,
            Integer::sum);
      }
    }
    return counts;
  }
}
