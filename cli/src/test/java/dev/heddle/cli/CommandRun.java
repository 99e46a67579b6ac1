package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One run of the command in this process. */
record CommandRun(int status, String out, String err) {
  /** The repository, in which the modules' tests run one folder down. */
  static final Path REPOSITORY = Path.of("..").toAbsolutePath().normalize();

  /** What a command says where a driver is there and the GPU cannot be used. */
  private static final String ABOUT_THIS_MACHINE = "heddle: going on without cuda: ";

  static CommandRun heddle(Object... arguments) {
    return at(REPOSITORY, arguments);
  }

  /** A run of a command whose own models and texts lie in {@code home}. */
  static CommandRun at(Path home, Object... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Console console = new Console(new PrintWriter(out), new PrintWriter(err), false);
    String[] words = Arrays.stream(arguments).map(String::valueOf).toArray(String[]::new);
    int status = Heddle.run(words, console, new Home(home));
    return new CommandRun(status, out.toString(), err.toString());
  }

  /** The same with more arguments, all of which must leave standard output with one object. */
  static JsonNode json(Object... arguments) {
    CommandRun run = heddle(Stream.concat(Stream.of(arguments), Stream.of("--json")).toArray());
    return run.object();
  }

  /** Standard output, which must be one JSON object and nothing else. */
  JsonNode object() {
    JsonNode node = JsonMapper.builder().build().readTree(out);
    assertThat(node.isObject()).as(out).isTrue();
    return node;
  }

  /** Asserts that the input was refused with one message and nothing else. */
  CommandRun refused(String... words) {
    assertThat(status).as(err).isEqualTo(2);
    assertThat(out).isEmpty();
    assertThat(err).startsWith("heddle: ").contains(words).doesNotContain("\tat ");
    return this;
  }

  /** Asserts that the input was refused where JSON was asked for. */
  void refusedAsJson(String message) {
    assertThat(status).as(err).isEqualTo(2);
    assertThat(object().get("error").asString()).contains(message);
  }

  CommandRun succeeded() {
    assertThat(status).as(err).isZero();
    assertThat(err.lines().filter(line -> !line.startsWith(ABOUT_THIS_MACHINE))).isEmpty();
    return this;
  }
}
