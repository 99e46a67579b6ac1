package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class PatternsCommandTest {
  @Test
  void listsThePatternsOfTheModulePathWithTheirOptions() {
    assertThat(CommandRun.heddle("patterns").succeeded().out())
        .containsSubsequence("a-shape", "block-sparse", "dense", "vertical-slash")
        .contains("sink=128  (an integer from 0 (tokens))", "from dev.heddle.pattern.ashape")
        .containsSubsequence("a-shape", "in chunks: nothing changes where", "block-sparse")
        .containsSubsequence("dense", "in chunks: nothing changes", "vertical-slash")
        .containsSubsequence("vertical-slash", "in chunks: each chunk keeps the columns")
        .doesNotContain("refused");
  }

  @Test
  void listsTheSameAsJson() {
    JsonNode patterns = CommandRun.json("patterns").get("patterns");
    assertThat(patterns.valueStream().map(pattern -> pattern.get("name").asString()))
        .containsExactly("a-shape", "block-sparse", "dense", "vertical-slash");
    assertThat(patterns.get(2).get("inChunks").asString()).isEqualTo("nothing changes");
    JsonNode option = patterns.get(0).get("options").get(1);
    assertThat(option.get("name").asString()).isEqualTo("local");
    assertThat(option.get("default").asInt()).isEqualTo(1024);
    assertThat(option.get("minimum").asInt()).isEqualTo(1);
    assertThat(option.get("unit").asString()).isEqualTo("tokens");
    assertThat(option.get("type").asString()).isEqualTo("integer");
  }
}
