package dev.heddle.cli;

import static dev.heddle.cli.CommandRun.heddle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.heddle.llm.KnownModel;
import dev.heddle.llm.MemoryEstimate;
import dev.heddle.llm.PrefillTimes;
import dev.heddle.runtime.PrefillReport;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchPrefillCommandTest {
  private static final String MODEL = "../models/byte-llama-5m";
  private static final long SECOND = 1_000_000_000;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--backend vector --shape llama-3-8b | random weights are made on a GPU alone",
        "--backend vector --shape abacus | the shape 'abacus' is not known; allowed: llama-3-8b,",
        "--shape llama-3-8b --no-dense | --no-dense without --heads FILE leaves nothing to measure",
        "--shape llama-3-8b --repeat 0 | --repeat is 0; allowed: an integer from 1",
        "--shape llama-3-8b --new-tokens -1 | --new-tokens is -1; allowed: an integer from 0",
        "--shape llama-3-8b --chunk 64,0 | --chunk is 0; allowed: an integer from 1",
        "--shape llama-3-8b --no-one-pass | --no-one-pass without --chunk N leaves nothing",
        "--shape llama-3-8b --chunk 64 --new-tokens 9 | at most one of --chunk and --new-tokens",
        "--shape llama-3-8b --plot a.png --dry-run | give at most one of --dry-run and --plot",
        "--shape llama-3-8b --plot none/a.png | none/a.png cannot be written: the folder",
        "--shape llama-3-8b --tokens 64,0 | --tokens is 0; allowed: integers from 1",
        "--backend vector --model " + MODEL + " | the model computes on the processor",
      })
  void whatCannotBeMeasuredIsSaid(String options, String message) {
    CommandRun run = heddle((Object[]) ("bench prefill " + options).split(" "));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains(message);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void partsAddUpAndAreSetAgainstDense() {
    PrefillBenchReport report =
        report(
            List.of(
                new PrefillBenchReport.Row(
                    measured("dense", 131_072), times(10 * SECOND, 6 * SECOND, 1), 0),
                new PrefillBenchReport.Row(
                    measured("some.json", 131_072), times(4 * SECOND, 0, 0.1), SECOND / 50)));
    StringWriter out = new StringWriter();
    report.print(new Console(new PrintWriter(out), new PrintWriter(out), false));
    assertThat(out.toString())
        .contains("llama-3-8b: 32 layers, 32 query heads, 8 key/value heads, head dim 128")
        .containsSubsequence("131,072", "dense", "100.0 %", "1000.0 ms", "10.00 s", "1.0x")
        .containsSubsequence("131,072", "some.json", "10.0 %", "4.00 s", "2.5x", "50.0");
    JsonNode sparse = JsonMapper.shared().valueToTree(report.json()).at("/runs/1");
    assertThat(sparse.at("/otherSeconds").doubleValue()).isCloseTo(0.8, within(1e-9));
    // (2 · 4096 + 2 · 1024 + 3 · 14336) · 4096 in 31 layers, and the inputs of the last.
    double flop = 2.0 * 131_072 * 4096 * (31 * (8192 + 2048 + 43_008) + 6144);
    assertThat(sparse.at("/productTeraflops").doubleValue())
        .isCloseTo(flop / 3.0 / 1e12, within(1e-6));
  }

  /** Chunks are set against dense attention in the same chunks. */
  @Test
  void chunksAreNamed() {
    PrefillBenchReport.Case dense = new PrefillBenchReport.Case("dense", 131_072, 16_384);
    PrefillBenchReport.Case sparse = new PrefillBenchReport.Case("some.json", 131_072, 16_384);
    PrefillBenchReport report =
        report(
            List.of(
                new PrefillBenchReport.Row(
                    measured("some.json", 131_072), times(5 * SECOND, 0, 0.1), 0),
                new PrefillBenchReport.Row(dense, times(12 * SECOND, 6 * SECOND, 1), 0),
                new PrefillBenchReport.Row(sparse, times(6 * SECOND, 0, 0.1), 0)));
    StringWriter out = new StringWriter();
    report.print(new Console(new PrintWriter(out), new PrintWriter(out), false));
    assertThat(out.toString())
        .containsSubsequence("some.json", "5.00 s")
        .containsSubsequence("dense in chunks of 16,384", "12.00 s", "1.0x")
        .containsSubsequence("some.json in chunks of 16,384", "6.00 s", "2.0x");
    JsonNode runs = JsonMapper.shared().valueToTree(report.json()).at("/runs");
    assertThat(runs.at("/0/chunkTokens").isMissingNode()).isTrue();
    assertThat(runs.at("/0/overDense").isMissingNode()).isTrue();
    assertThat(runs.at("/2/chunkTokens").intValue()).isEqualTo(16_384);
    assertThat(runs.at("/2/heads").asString()).isEqualTo("some.json");
  }

  @Test
  void aDryRunSaysWhatDoesNotFit() {
    PrefillBenchReport report = report(List.of());
    StringWriter out = new StringWriter();
    report.print(new Console(new PrintWriter(out), new PrintWriter(out), false));
    assertThat(out.toString())
        .containsSubsequence("dense", "1.00", "2.00", "3.00", "4.00", "fits")
        .containsSubsequence("dense", "4.00", "1.00", "5.00", "4.00", "does not fit");
    assertThat(report.succeeded()).isFalse();
  }

  private static PrefillBenchReport report(List<PrefillBenchReport.Row> rows) {
    long gibibyte = 1L << 30;
    return new PrefillBenchReport(
        new PrefillBenchReport.Setting("llama-3-8b", KnownModel.named("llama-3-8b").config(), 2),
        List.of(
            new PrefillBenchReport.Plan(
                measured("dense", 1024), new MemoryEstimate(gibibyte, 2 * gibibyte), 4 * gibibyte),
            new PrefillBenchReport.Plan(
                measured("dense", 8192), new MemoryEstimate(4 * gibibyte, gibibyte), 4 * gibibyte)),
        rows);
  }

  private static PrefillBenchReport.Case measured(String heads, int tokens) {
    return new PrefillBenchReport.Case(heads, tokens, tokens);
  }

  private static PrefillTimes times(long total, long attention, double density) {
    PrefillReport.Head head = new PrefillReport.Head("dense", (long) (1000 * density), 1000);
    return new PrefillTimes(
        total,
        SECOND,
        2 * SECOND,
        SECOND / 5,
        attention,
        List.of(new PrefillReport(0, List.of(head), 0, 0)));
  }
}
