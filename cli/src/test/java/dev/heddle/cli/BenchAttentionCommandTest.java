package dev.heddle.cli;

import static dev.heddle.cli.CommandRun.heddle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.heddle.runtime.PatternRegistry;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

class BenchAttentionCommandTest {
  private static final Map<String, String> SMALL =
      Map.of(
          "--tokens", "512",
          "--heads", "4",
          "--head-dim", "32",
          "--repeat", "3",
          "--warmup", "0",
          "--backend", "vector");

  /** Runs a small measurement with {@code more}, which may change its sizes. */
  private static CommandRun bench(String more) {
    List<String> words = new ArrayList<>(List.of("bench", "attention"));
    SMALL.forEach((name, value) -> {
      if (!more.contains(name + " ")) {
        words.addAll(List.of(name, value));
      }
    });
    Stream.of(more.strip().split(" +")).filter(word -> !word.isEmpty()).forEach(words::add);
    return heddle(words.toArray());
  }

  @Test
  void measuresTheUsualBudgetsAgainstDense() {
    String out = bench("").succeeded().out();
    assertThat(out)
        .contains("wall clock, median of 3 after no warm-up", "4 heads x 512 tokens")
        .contains("1 key/value heads, head dim 32, float32")
        .contains("density", "index", "attention", "total", "spread", "GFLOP/s", "over dense")
        .containsSubsequence(
            "dense",
            "100.0 %",
            "1.00x",
            "sink 1024, local 4096",
            "blocks 100",
            "verticals 1000, slashes 6096",
            "verticals 30, slashes 800",
            "verticals 3500, slashes 100");
  }

  @ParameterizedTest
  @ValueSource(strings = {"vector", "reference"})
  void everyNumberIsInTheJson(String backend) {
    JsonNode report =
        bench(
                "--backend "
                    + backend
                    + " --tokens 130,512 --key-value-heads 2 --type float16 --json"
                    + " --pattern a-shape --option sink=1 --option local=64"
                    + " --pattern vertical-slash --option verticals=10 --option slashes=110")
            .succeeded()
            .object();
    assertThat(report.get("backend").asString()).isEqualTo(backend);
    assertThat(report.get("timer").asString()).isEqualTo("wall clock");
    assertThat(report.get("elementType").asString()).isEqualTo("float16");
    JsonNode shape = report.get("shapes").get(1);
    assertThat(shape.get("tokens").asInt()).isEqualTo(512);
    assertThat(shape.get("keyValueHeads").asInt()).isEqualTo(2);
    assertThat(shape.get("cases").valueStream().map(one -> one.get("pattern").asString()))
        .containsExactly("dense", "a-shape", "vertical-slash");
    JsonNode dense = shape.get("cases").get(0);
    JsonNode aShape = shape.get("cases").get(1);
    assertThat(dense.get("cells").asLong()).isEqualTo(4L * 512 * 513 / 2);
    assertThat(aShape.get("options").get("local").asInt()).isEqualTo(64);
    assertThat(aShape.get("density").asDouble())
        .isEqualTo(aShape.get("cells").asDouble() / dense.get("cells").asDouble())
        .isBetween(0.2, 0.7);
    assertConsistent(dense, dense);
    assertConsistent(aShape, dense);
  }

  private static void assertConsistent(JsonNode row, JsonNode dense) {
    assertThat(row.get("totalMillisOfEachRun").size()).isEqualTo(3);
    assertThat(row.get("spread").asDouble()).isNotNegative();
    double flop = 4.0 * 32 * row.get("cells").asDouble();
    assertThat(row.get("teraflops").asDouble() * 1e12 * row.get("attentionMillis").asDouble() / 1e3)
        .isCloseTo(flop, withinPercentage(1e-6));
    assertThat(row.get("overDense").asDouble())
        .isCloseTo(
            dense.get("totalMillis").asDouble() / row.get("totalMillis").asDouble(),
            withinPercentage(1e-6)); // milliseconds are rounded, the ratio is of nanoseconds
  }

  @Test
  void withoutDenseThereIsNoRatio() {
    CommandRun run = bench("--no-dense --pattern a-shape").succeeded();
    assertThat(run.out()).doesNotContain("dense  ").contains("a-shape", "-");
    JsonNode only =
        bench("--no-dense --pattern a-shape --json").succeeded().object().get("shapes").get(0);
    assertThat(only.get("cases").size()).isEqualTo(1);
    assertThat(only.get("cases").get(0).has("overDense")).isFalse();
  }

  @Test
  void theErrorIsThatOfTheOutput() {
    String command = "--error --pattern a-shape --option sink=1 --option local=4 --pattern a-shape";
    JsonNode cases =
        bench(command + " --option local=100000 --json")
            .succeeded()
            .object()
            .get("shapes")
            .get(0)
            .get("cases");
    assertThat(cases.get(0).get("outputError").asDouble()).isZero();
    // V is noise: what a few keys give is far from what many do.
    assertThat(cases.get(1).get("outputError").asDouble()).isBetween(0.5, 20.0);
    assertThat(cases.get(2).get("outputError").asDouble()).isLessThan(1e-5);
    assertThat(bench(command).succeeded().out()).contains("error", "0.0000");
  }

  @Test
  void patternsOfOthersTakePartByName() {
    StringWriter out = new StringWriter();
    Console console = new Console(new PrintWriter(out), new PrintWriter(out), false);
    PatternRegistry registry = PatternRegistry.builder().add(new SparsePatterns.Window()).build();
    int status =
        new CommandLine(new BenchAttentionCommand(console, _ -> registry))
            .execute(
                "--backend",
                "vector",
                "--tokens",
                "300",
                "--heads",
                "1",
                "--head-dim",
                "32",
                "--pattern",
                "window");
    assertThat(status).as(out.toString()).isZero();
    assertThat(out.toString()).contains("window");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--pattern nothing                    | 'nothing'",
        "--pattern a-shape --option windw=1   | 'windw'",
        "--pattern a-shape --option local=0   | local",
        "--option local=1                     | --pattern",
        "--tokens 0                           | queryTokens must be at least 1",
        "--tokens few                         | --tokens",
        "--heads 0                            | queryHeads must be at least 1",
        "--heads 3 --key-value-heads 2        | multiple of keyValueHeads",
        "--head-dim 12                        | head dim is 12; allowed: a multiple of 8",
        "--type float8                        | --type",
        "--error --no-dense --pattern a-shape | --error compares with dense",
        "--repeat 0                           | --repeat is 0; allowed: an integer from 1",
        "--warmup -1                          | --warmup is -1; allowed: an integer from 0",
        "--backend warp                       | auto, cuda, vector, reference",
        "--tokens 2000000000                  | MiB are available; use fewer tokens or heads",
        "--tokens 2000000000 --heads 65536 --key-value-heads 65536 --head-dim 256 | are available"
      })
  void wrongUsageIsRefusedWithOneMessage(String arguments, String word) {
    bench(arguments).refused(word);
  }

  @Test
  void helpStatesWhatIsMeasuredAndOnWhichNumbers() {
    CommandRun help = heddle("bench", "attention", "--help").succeeded();
    assertThat(help.out().replaceAll("\\s+", " "))
        .contains("CUDA events", "4 x head dim for each computed cell")
        .contains(
            "rotary position embedding (base 500000)", "one key in 32", "0.2 on every number");
  }

  @Test
  void benchAloneAsksWhat() {
    CommandRun run = heddle("bench");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).startsWith("heddle: ").doesNotContain("\tat ");
  }
}
