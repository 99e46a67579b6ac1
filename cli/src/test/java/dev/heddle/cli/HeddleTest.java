package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeddleTest {
  @Test
  void withoutArgumentsShowsTheHelpAndFails() {
    CommandRun run = CommandRun.heddle();
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err())
        .contains(
            "Usage: heddle",
            "attend",
            "bench",
            "check",
            "demo",
            "info",
            "new-pattern",
            "patterns",
            "run");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "attend",
        "bench attention",
        "check",
        "demo",
        "info",
        "new-pattern",
        "patterns",
        "plot needle",
        "plot speed",
        "report",
        "run"
      })
  void everyCommandHasHelp(String command) {
    CommandRun run = CommandRun.heddle((Object[]) (command + " --help").split(" ")).succeeded();
    assertThat(run.out())
        .contains("Usage: heddle " + command, "--json", "--stacktrace", "--help", "--version");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--version", "info --version"})
  void tellsItsVersion(String arguments) {
    CommandRun run = CommandRun.heddle((Object[]) arguments.split(" ")).succeeded();
    assertThat(run.out()).matches("heddle \\d+\\.\\d+\\.\\d+\\R");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"weave", "bench", "bench weaving", "patterns extra", "patterns --colour", "check"})
  void wrongUsageIsRefused(String arguments) {
    CommandRun run = CommandRun.heddle((Object[]) arguments.split(" "));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).startsWith("heddle: ").doesNotContain("\tat ");
  }

  @Test
  void anUnknownCommandBringsAHint() {
    assertThat(CommandRun.heddle("pattern").err()).contains("heddle patterns");
  }

  @Test
  void theLauncherIsAShellScriptWithoutErrors() throws IOException, InterruptedException {
    Process shell =
        new ProcessBuilder(List.of("sh", "-n", CommandRun.REPOSITORY.resolve("heddle").toString()))
            .redirectErrorStream(true)
            .start();
    assertThat(new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8)).isEmpty();
    assertThat(shell.waitFor()).isZero();
  }
}
