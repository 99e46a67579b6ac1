package dev.heddle.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

class KernelCostsTest {
  private static final KernelCosts COSTS =
      new KernelCosts(120, 8_300, 71.5, new TreeMap<>(Map.of("a-shape", 0.1, "warp", 3.0)));

  @Test
  void areReadWhereASearchWritesThem() {
    JsonMapper mapper = new JsonMapper();
    Map<String, ?> printed = Map.of("format", "heddle-search/1", "costs", COSTS.json());
    Map<String, ?> heads =
        Map.of("format", "heddle-heads/1", "notes", Map.of("costs", COSTS.json()));
    assertThat(KernelCosts.parse(mapper.writeValueAsString(printed), "f")).isEqualTo(COSTS);
    assertThat(KernelCosts.parse(mapper.writeValueAsString(heads), "f")).isEqualTo(COSTS);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | \"costs\" is missing",
        "[1] | \"costs\" is missing",
        "{\"costs\": 3} | \"costs\" is missing",
        "{\"costs\": | it is not JSON",
        "{\"costs\": {\"rowNanos\": 1}} | \"indexNanosPerToken\" is missing",
        "{\"costs\": {\"indexNanosPerToken\": {}, \"rowNanos\": 1}} | \"blockNanos\" is missing",
        "{\"costs\": {\"indexNanosPerToken\": {}, \"rowNanos\": -1}} | \"rowNanos\" is -1; allowed",
        "{\"costs\": {\"indexNanosPerToken\": {\"warp\": \"1\"}}} | \"warp\" is \"1\"; allowed",
      })
  void whatHoldsNoneIsRefused(String json, String message) {
    assertThatThrownBy(() -> KernelCosts.parse(json, "some.json"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("some.json holds no costs of a search: ")
        .hasMessageContaining(message)
        .hasMessageContaining("a heads file that 'heddle search' wrote");
  }
}
