package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MInferenceFileTest {
  private static final ModelShape MODEL = new ModelShape(3, 4, 2, 64);

  private static final String FILE =
      """
      [{"0": ["vertical_and_slash", 1000, 6096, 0.5], "1": ["stream_llm", 100, 800, 0.25],
        "2": ["block_sparse", 7, 9, 1.0], "3": ["vertical_and_slash", 1000, 6096, 0.75]},
       {"0": ["vertical_and_slash", 3, 20, 1], "3": ["vertical_and_slash", 30, 800, 0.5]},
       {}]
      """;

  @TempDir private Path folder;

  @Test
  void meansWhatMInferenceDoesWithIt() throws IOException {
    MInferenceFile file = read(FILE);

    assertThat(file.layers()).isEqualTo(3);
    assertThat(file.queryHeads()).isEqualTo(4);
    assertThat(file.headCounts()).containsExactly(4, 2, 0);
    assertThat(file.toHeads(MODEL))
        .isEqualTo(
            HeadsConfig.builder(MODEL)
                .defaults("vertical-slash", Map.of("verticals", 1000, "slashes", 6096))
                .assign("0", "1", "a-shape", Map.of("sink", 100, "local", 800))
                .assign("0", "2", "block-sparse", Map.of("blocks", 100, "sink-blocks", 0))
                .assign("1", "0", "vertical-slash", Map.of("verticals", 30, "slashes", 50))
                .assign("1", "3", "vertical-slash", Map.of("verticals", 30, "slashes", 800))
                .build());
  }

  @Test
  void neighbouringLayersThatAreEqualShareEntries() throws IOException {
    String layer = "{\"0\": [\"vertical_and_slash\", 1, 99, 0], \"1\": [\"stream_llm\", 1, 2, 0]}";
    HeadsConfig heads = read("[" + layer + "," + layer + "]").toHeads(new ModelShape(2, 2, 1, 64));

    assertThat(heads.entries()).hasSize(1);
    assertThat(heads.entries().getFirst().layers()).hasToString("0-1");
  }

  @Test
  void scoresOfBothScalesAreKeptAsNotes() throws IOException {
    Map<String, Object> notes = read(FILE).toHeads(MODEL).notes();
    assertThat(notes).containsEntry("scoreScale", "share, 0 to 1");
    assertThat(notes.get("scores"))
        .isEqualTo(
            List.of(
                Map.of("0", 0.5, "1", 0.25, "2", 1.0, "3", 0.75),
                Map.of("0", 1, "3", 0.5),
                Map.of()));
    String counts = "[{\"0\": [\"vertical_and_slash\", 30, 800, 14994473]}]";
    assertThat(read(counts).toHeads(new ModelShape(1, 1, 1, 64)).notes())
        .containsEntry("scoreScale", "count")
        .containsEntry("scores", List.of(Map.of("0", 14994473)));
  }

  @Test
  void writtenAndReadAgainItIsTheSame() throws IOException {
    HeadsConfig heads = read(FILE).toHeads(MODEL);
    HeadsConfig again = HeadsConfig.parse(heads.toJson(), "again.json");

    assertThat(again).isEqualTo(heads);
    assertThat(again.notes()).isEqualTo(heads.notes());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{}                                              | is {}; allowed: an array",
        "[]                                              | it lists no layer",
        "[3]                                             | [0]: is 3; allowed: an object",
        "[{\"x\": [\"stream_llm\", 1, 2, 0]}]            | layer 0: \"x\" is no head",
        "[{\"01\": [\"stream_llm\", 1, 2, 0]}]           | layer 0: \"01\" is no head",
        "[{}, {\"2\": [\"hashed\", 1, 2, 0]}]            | layer 1, head 2: the type is \"hashed\"; allowed: block_sparse",
        "[{\"2\": [\"stream_llm\", 1, 2]}]               | layer 0, head 2: is [\"stream_llm\",1,2]; allowed: [type, v, s, score]",
        "[{\"2\": [\"stream_llm\", 1, 0, 0]}]            | layer 0, head 2: stream_llm has a window of 0 keys",
        "[{\"2\": [\"vertical_and_slash\", -1, 2, 0]}]   | layer 0, head 2: a size is -1; allowed: an integer from 0",
        "[{\"2\": [\"vertical_and_slash\", 1.5, 2, 0]}]  | layer 0, head 2: a size is 1.5",
        "[{\"2\": [\"vertical_and_slash\", 1, 9e9, 0]}]  | layer 0, head 2: a size is 9.0E9",
        "[{\"2\": [\"vertical_and_slash\", 1, 2, \"a\"]}] | allowed: [type, v, s, score]",
        "[{\"2\": [1, 2, 3, 4]}]                         | layer 0, head 2: is [1,2,3,4]",
        "[{\"0\": 1, \"0\": 1}]                          | not JSON",
        "[{\"0\": [\"stream_llm\"                        | not JSON",
      })
  void refuses(String json, String message) throws IOException {
    Path file = Files.writeString(folder.resolve("bad.json"), json);

    assertThatThrownBy(() -> MInferenceFile.read(file))
        .isInstanceOf(HeadsFileException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "4 | 4 | it has 3 layers; allowed: the model's 4",
        "3 | 2 | layer 0: the model has no head 3; allowed: 0 to 1",
      })
  void refusesAnotherModel(int layers, int queryHeads, String message) throws IOException {
    MInferenceFile file = read(FILE);
    ModelShape other = new ModelShape(layers, queryHeads, 2, 64);

    assertThatThrownBy(() -> file.toHeads(other))
        .isInstanceOf(HeadsFileException.class)
        .hasMessageContaining(message);
  }

  private MInferenceFile read(String json) throws IOException {
    return MInferenceFile.read(Files.writeString(folder.resolve("patterns.json"), json));
  }
}
