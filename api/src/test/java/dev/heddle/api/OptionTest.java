package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OptionTest {
  private static final Option<Integer> LOCAL = Option.tokens("local", 1024, 1, "Window.");
  private static final Option<Double> SHARE = Option.fraction("share", 0.5, "Share.");
  private static final Option<Boolean> FLAG = Option.flag("last-dense", false, "Flag.");

  @Test
  void takesValuesAsFilesAndCommandLinesGiveThem() {
    assertThat(LOCAL.convert(7)).isEqualTo(7);
    assertThat(LOCAL.convert(7L)).isEqualTo(7);
    assertThat(LOCAL.convert(" 7 ")).isEqualTo(7);
    assertThat(SHARE.convert(1)).isEqualTo(1.0);
    assertThat(SHARE.convert(0.25)).isEqualTo(0.25);
    assertThat(SHARE.convert("0.25")).isEqualTo(0.25);
    assertThat(FLAG.convert(true)).isTrue();
    assertThat(FLAG.convert("true")).isTrue();
    assertThat(FLAG.convert("false")).isFalse();
  }

  @Test
  void refusesOtherValuesWithTheNameTheValueAndWhatIsAllowed() {
    for (Object value : List.of(0, -1, 7.5, 1L << 40, true, BigInteger.ONE, List.of(7))) {
      assertThatThrownBy(() -> LOCAL.convert(value))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("option 'local' is " + value + "; allowed: an integer from 1 (tokens)");
    }
    for (String value : List.of("", "seven", "7.0", "0")) {
      assertThatThrownBy(() -> LOCAL.convert(value))
          .hasMessage("option 'local' is \"" + value + "\"; allowed: an integer from 1 (tokens)");
    }
    for (Object value : List.of(1.5, -0.1, Double.NaN, Double.POSITIVE_INFINITY, true)) {
      assertThatThrownBy(() -> SHARE.convert(value))
          .hasMessage("option 'share' is " + value + "; allowed: a number from 0.0 to 1.0");
    }
    assertThatThrownBy(() -> FLAG.convert("yes"))
        .hasMessage("option 'last-dense' is \"yes\"; allowed: true or false");
    assertThatThrownBy(() -> FLAG.convert(1))
        .hasMessage("option 'last-dense' is 1; allowed: true or false");
  }

  @Test
  void scalesWithinItsRange() {
    assertThat(LOCAL.scale(1024, 0.5)).isEqualTo(512);
    assertThat(LOCAL.scale(3, 0.5)).isEqualTo(2);
    assertThat(LOCAL.scale(1024, 1e-9)).isEqualTo(1);
    assertThat(LOCAL.scale(1024, 1e9)).isEqualTo(Integer.MAX_VALUE);
    assertThat(new Option<>("rows", Integer.class, "", 4, 1, 8, "Rows.").scale(4, 3)).isEqualTo(8);
  }

  @Test
  void saysWhatIsAllowed() {
    assertThat(Option.count("blocks", "key blocks", 100, 1, "Blocks.").allowed())
        .isEqualTo("an integer from 1 (key blocks)");
    assertThat(new Option<>("rows", Integer.class, "", 4, 1, 8, "Rows.").allowed())
        .isEqualTo("an integer from 1 to 8");
    assertThat(
            new Option<>("heat", Double.class, "nats", 1.0, 0.0, Double.POSITIVE_INFINITY, "Heat.")
                .allowed())
        .isEqualTo("a number from 0.0 (nats)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Local", "local_size", "-local", "local-", "a--b", "1st", "a b"})
  void refusesNamesThatAreNotKebabCase(String name) {
    assertThatThrownBy(() -> Option.flag(name, true, "Flag."))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("option name '" + name + "' is not lower-case words joined by dashes");
  }

  @Test
  void refusesBadDeclarations() {
    assertThatThrownBy(() -> Option.tokens("local", 0, 1, "Window."))
        .hasMessage("option 'local' has the default 0 outside its range 1 to 2147483647");
    assertThatThrownBy(() -> new Option<>("text", String.class, "", "b", "a", "c", "Text."))
        .hasMessage("option 'text' has type java.lang.String; allowed: integer, number, boolean");
  }
}
