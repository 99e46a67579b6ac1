package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OptionsTest {
  private static final Option<Integer> SINK = Option.tokens("sink", 128, 0, "Sinks.");
  private static final Option<Integer> LOCAL = Option.tokens("local", 1024, 1, "Window.");
  private static final Option<Double> SHARE = Option.fraction("share", 0.5, "Share.");
  private static final List<Option<?>> DECLARED = List.of(SINK, LOCAL);

  @Test
  void fillsInDefaultsInTheOrderOfDeclaration() {
    Options options = Options.of(DECLARED, Map.of("local", "7"));
    assertThat(options.get(SINK)).isEqualTo(128);
    assertThat(options.get(LOCAL)).isEqualTo(7);
    assertThat(options).hasToString("sink=128 local=7");
    assertThat(options.toMap()).containsExactly(Map.entry("sink", 128), Map.entry("local", 7));
  }

  @Test
  void changingMakesACopy() {
    Options defaults = Options.defaults(DECLARED);
    assertThat(defaults.with(SINK, 4).with("local", 5L)).hasToString("sink=4 local=5");
    assertThat(defaults).hasToString("sink=128 local=1024");
    assertThat(defaults.with(SINK, 128)).isEqualTo(defaults).hasSameHashCodeAs(defaults);
    assertThat(defaults.with(SINK, 4)).isNotEqualTo(defaults);
  }

  @Test
  void refusesUnknownNamesWithThoseThatExist() {
    Options defaults = Options.defaults(DECLARED);
    assertThatThrownBy(() -> Options.of(DECLARED, Map.of("window", 7)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("unknown option 'window'; allowed: local, sink");
    assertThatThrownBy(() -> defaults.with(SHARE, 0.5))
        .hasMessage("unknown option 'share'; allowed: local, sink");
    assertThatThrownBy(() -> defaults.get(SHARE))
        .hasMessage("unknown option 'share'; allowed: local, sink");
    assertThatThrownBy(() -> Options.of(List.of(), Map.of("sink", 1)))
        .hasMessage("unknown option 'sink'; there are none");
  }

  @Test
  void refusesValuesOutOfRangeAndNamesDeclaredTwice() {
    assertThatThrownBy(() -> Options.defaults(DECLARED).with(LOCAL, 0))
        .hasMessage("option 'local' is 0; allowed: an integer from 1 (tokens)");
    assertThatThrownBy(() -> Options.defaults(List.of(SINK, Option.flag("sink", true, "Another."))))
        .hasMessage("option 'sink' is declared twice");
  }
}
