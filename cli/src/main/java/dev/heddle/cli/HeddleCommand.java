package dev.heddle.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What all commands share: help, the form of the result, and the exit status. */
@Command(
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    sortSynopsis = false,
    usageHelpAutoWidth = true)
abstract class HeddleCommand implements Callable<Integer> {
  /** Exit status: the work failed. */
  static final int FAILED = 1;

  /** Help lists what every command has behind what is its own. */
  static final int COMMON_ORDER = 1000;

  private final Console console;

  @Option(
      names = "--json",
      order = COMMON_ORDER,
      description = "Print one JSON object on standard output and nothing else there.")
  private boolean json;

  @Option(
      names = "--stacktrace",
      order = COMMON_ORDER,
      description = "Print the stack trace of an error.")
  private boolean stacktrace;

  HeddleCommand(Console console) {
    this.console = console;
  }

  /**
   * Does the work.
   *
   * @throws Exception described to the user by {@link Failures}
   */
  abstract Result execute() throws Exception;

  @Override
  public final Integer call() throws Exception {
    Result result = execute();
    if (json) {
      Json.print(result.json(), console.out());
    } else {
      result.print(console);
    }
    console.out().flush();
    return result.succeeded() ? 0 : FAILED;
  }

  final Console console() {
    return console;
  }

  final boolean json() {
    return json;
  }

  final boolean stacktrace() {
    return stacktrace;
  }
}
