package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class CheckCommandTest {
  private static final String FILE =
      """
      {"format": "heddle-heads/1",
       "shape": {"layers": 4, "queryHeads": 8, "keyValueHeads": 2, "headDim": 64},
       "defaults": {"pattern": "dense"},
       "heads": [{"layers": "0-2", "heads": "0-3,7", "pattern": "a-shape",
                  "options": {"sink": 64, "local": 512}}]}
      """;

  @TempDir private Path folder;

  @Test
  void showsWhatEachHeadUses() throws IOException {
    Path file = Files.writeString(folder.resolve("heads.json"), FILE);
    assertThat(CommandRun.heddle("check", file).succeeded().out())
        .contains(file + " is valid: 4 layers, 8 query heads, 2 key/value heads, head dim 64")
        .containsPattern("\\[0]  a-shape +sink=64 local=512 +15 heads")
        .containsPattern("\\[1]  dense +17 heads")
        .contains("layers 0-2: heads 0-3,7 [0]; heads 4-6 [1]")
        .contains("layer 3: heads 0-7 [1]");
  }

  @Test
  void showsTheSameAsJson() throws IOException {
    Path file = Files.writeString(folder.resolve("heads.json"), FILE);
    JsonNode checked = CommandRun.json("check", file);
    assertThat(checked.get("shape").get("queryHeads").asInt()).isEqualTo(8);
    assertThat(checked.get("assignments").get(0).get("options").get("sink").asInt()).isEqualTo(64);
    assertThat(checked.get("layers").get(1).toString()).isEqualTo("[0,0,0,0,1,1,1,0]");
  }

  @Test
  void acceptsTheFileOfTheBundledModel() {
    Path file = CommandRun.REPOSITORY.resolve("models/byte-llama-5m/heads.json");
    assertThat(CommandRun.heddle("check", file).succeeded().out()).contains("vertical-slash");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a-shape     | ashape      | no pattern is called \"ashape\"",
        "\"sink\"    | \"sinks\"   | unknown option 'sinks'",
        "64, \"local | -1, \"local | allowed: an integer from 0 (tokens)",
        "0-3,7       | 0-3,9       | heads[0].heads",
        "heads/1     | heads/9     | format",
      })
  void namesThePlaceOfAnError(String old, String changed, String message) throws IOException {
    assertThat(FILE).contains(old);
    Path file = Files.writeString(folder.resolve("heads.json"), FILE.replace(old, changed));
    CommandRun.heddle("check", file).refused(file.toString(), message);
  }

  @Test
  void refusesAFileThatIsNotThere() {
    CommandRun.heddle("check", folder.resolve("no.json")).refused("no.json", "no such file");
  }
}
