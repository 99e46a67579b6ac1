package dev.heddle.cli;

import dev.heddle.kernels.Backends;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;

/** The {@code heddle} command: names its subcommands and runs one. */
@Command(
    name = "heddle",
    description = "Sparse attention for long-context prefill on the JVM.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Exit status: 0 done, 1 the work failed, 2 wrong usage or bad input.",
      "'heddle COMMAND --help' explains a command; 'heddle demo' shows the whole at work."
    })
public final class Heddle {
  private Heddle() {}

  /** Runs the command and ends the process with its exit status. */
  public static void main(String[] arguments) {
    Interruption interruption = Interruption.watch();
    Console console = Console.ofProcess();
    Failures failures = new Failures(console, interruption::wasRequested);
    int status = run(arguments, console, Home.ofProcess(), failures);
    interruption.workHasEnded();
    System.exit(status);
  }

  /** Runs the command; returns the exit status. */
  static int run(String[] arguments, Console console, Home home) {
    return run(arguments, console, home, new Failures(console, () -> false));
  }

  private static int run(String[] arguments, Console console, Home home, Failures failures) {
    CommandLine commandLine = commandLine(console, home, failures);
    if (arguments.length == 0) {
      commandLine.usage(console.err());
      return ExitCode.USAGE;
    }
    try {
      return commandLine.execute(arguments);
    } catch (Error error) {
      // Out of memory, or a file that shrank while it was mapped: still one message, no trace.
      return failures.report(error, List.of(arguments));
    } finally {
      console.out().flush();
      console.err().flush();
    }
  }

  private static CommandLine commandLine(Console console, Home home, Failures failures) {
    Discovery discovery = Discovery.in(home);
    return new CommandLine(new Heddle())
        .addSubcommand(new DemoCommand(console, home, discovery))
        .addSubcommand(new RunCommand(console, discovery))
        .addSubcommand(new AttendCommand(console, discovery))
        .addSubcommand(new PatternsCommand(console, discovery))
        .addSubcommand(new CheckCommand(console, discovery))
        .addSubcommand(new NewPatternCommand(console, discovery))
        .addSubcommand(imports(console, discovery))
        .addSubcommand(new SearchCommand(console, home, discovery))
        .addSubcommand(new EvalCommand(console, home, discovery))
        .addSubcommand(new ReportCommand(console))
        .addSubcommand(bench(console, discovery))
        .addSubcommand(plot(console, discovery))
        .addSubcommand(new InfoCommand(console, home, Backends.standard()))
        .setOut(console.out())
        .setErr(console.err())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(failures)
        .setParameterExceptionHandler(failures);
  }

  private static CommandLine imports(Console console, Discovery discovery) {
    return new CommandLine(new ImportCommand())
        .addSubcommand(new ImportMInferenceCommand(console, discovery));
  }

  private static CommandLine plot(Console console, Discovery discovery) {
    return new CommandLine(new PlotCommand())
        .addSubcommand(new PlotHeadCommand(console, discovery))
        .addSubcommand(new PlotModelCommand(console, discovery))
        .addSubcommand(new PlotNeedleCommand(console))
        .addSubcommand(new PlotSpeedCommand(console));
  }

  private static CommandLine bench(Console console, Discovery discovery) {
    return new CommandLine(new BenchCommand())
        .addSubcommand(new BenchAttentionCommand(console, discovery))
        .addSubcommand(new BenchPrefillCommand(console, discovery));
  }
}
