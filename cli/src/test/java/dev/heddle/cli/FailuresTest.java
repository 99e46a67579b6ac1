package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.HeddleException;
import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class FailuresTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Console console = new Console(new PrintWriter(out), new PrintWriter(err), false);
  private final Failures failures = new Failures(console, () -> false);

  @ParameterizedTest
  @MethodSource("errors")
  void eachErrorIsOneLineAndAStatus(Throwable error, int status, String message) {
    assertThat(failures.report(error, List.of("info"))).isEqualTo(status);
    assertThat(err.toString()).isEqualTo("heddle: " + message + System.lineSeparator());
    assertThat(out.toString()).isEmpty();
  }

  static Stream<Arguments> errors() {
    return Stream.of(
        Arguments.of(new InvalidInputException("a is 1; allowed: 2"), 2, "a is 1; allowed: 2"),
        Arguments.of(new HeddleException("it broke"), 1, "it broke"),
        Arguments.of(new NoSuchFileException("a.npy"), 2, "a.npy: there is no such file"),
        Arguments.of(new AccessDeniedException("a.npy"), 2, "a.npy: access is denied"),
        Arguments.of(new FileSystemException("a", null, "too long"), 1, "a: too long"),
        Arguments.of(
            new IOException("No space left on device"),
            1,
            "reading or writing failed: No space left on device"),
        Arguments.of(
            new OutOfMemoryError("Java heap space"),
            1,
            "out of memory (Java heap space). Use fewer tokens, or give the JVM more:"
                + " JDK_JAVA_OPTIONS=-Xmx8g"),
        Arguments.of(
            new IllegalStateException("oops"),
            1,
            "internal error: java.lang.IllegalStateException: oops. Run again with --stacktrace"
                + " and report what it prints."));
  }

  /** Whatever fails then fails because of that. */
  @Test
  void inAProcessThatIsToldToEndThereIsOneMessage() {
    Failures interrupted = new Failures(console, () -> true);
    assertThat(interrupted.report(new IllegalStateException("oops"), List.of("run")))
        .isEqualTo(130);
    assertThat(err.toString()).isEqualTo("heddle: interrupted" + System.lineSeparator());
  }

  @Test
  void withJsonStandardOutputCarriesTheError() {
    failures.report(new HeddleException("it broke"), List.of("info", "--json"));
    assertThat(new CommandRun(1, out.toString(), "").object().toString())
        .isEqualTo("{\"error\":\"it broke\",\"exitStatus\":1}");
  }
}
