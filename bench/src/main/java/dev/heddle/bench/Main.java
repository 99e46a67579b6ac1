package dev.heddle.bench;

import java.util.Collection;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs benchmarks and prints one line for each. Takes JMH's own arguments. */
public final class Main {
  private static final String LINE = "%-26s %-46s %10s %10s %12s%n";

  private Main() {}

  /** Runs the benchmarks whose names match the arguments, all if there are none. */
  public static void main(String[] arguments) throws RunnerException, CommandLineOptionException {
    CommandLineOptions given = new CommandLineOptions(arguments);
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .parent(given)
            .verbosity(given.verbosity().orElse(VerboseMode.SILENT))
            .forks(given.getForkCount().orElse(1))
            .warmupIterations(given.getWarmupIterations().orElse(5))
            .warmupTime(given.getWarmupTime().orElse(TimeValue.seconds(1)))
            .measurementIterations(given.getMeasurementIterations().orElse(10))
            .measurementTime(given.getMeasurementTime().orElse(TimeValue.seconds(1)))
            .timeUnit(TimeUnit.SECONDS);
    if (!LibtorchFunction.isPresent()) {
      options.exclude(LibtorchBenchmark.class.getSimpleName());
    }
    System.out.printf(LINE, "benchmark", "", "best ms", "mean ms", "best GFLOP/s");
    Collection<RunResult> results = new Runner(options.build()).run();
    results.forEach(Main::print);
  }

  private static void print(RunResult run) {
    BenchmarkParams parameters = run.getParams();
    String name = parameters.getBenchmark().replaceAll("^.*\\.(\\w+)\\.(\\w+)$", "$1.$2");
    String sizes =
        parameters.getParamsKeys().stream()
            .map(parameters::getParam)
            .collect(Collectors.joining(" ", "", ""));
    Result<?> calls = run.getPrimaryResult(); // per second
    Result<?> rate = run.getSecondaryResults().get("gigaflop");
    System.out.printf(
        Locale.ROOT,
        LINE,
        name.replace("Benchmark", ""),
        sizes,
        format(1000 / calls.getStatistics().getMax()),
        format(1000 / calls.getScore()),
        rate == null ? "" : format(rate.getStatistics().getMax()));
  }

  private static String format(double number) {
    return String.format(Locale.ROOT, number < 10 ? "%.3f" : "%.1f", number);
  }
}
