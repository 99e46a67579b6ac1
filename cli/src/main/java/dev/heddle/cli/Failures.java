package dev.heddle.cli;

import dev.heddle.api.HeddleException;
import dev.heddle.api.InvalidInputException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns errors into one message, an exit status and, where asked for, JSON or a stack trace. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
  /** Exit status of what Ctrl-C ended: 128 and the signal's number. */
  private static final int INTERRUPTED = 130;

  private final Console console;

  Failures(Console console) {
    this.console = console;
  }

  @Override
  public int handleExecutionException(
      Exception error, CommandLine commandLine, ParseResult parseResult) {
    return report(error, parseResult.originalArgs());
  }

  @Override
  public int handleParseException(ParameterException error, String[] arguments) {
    int status = report(error, List.of(arguments));
    if (!UnmatchedArgumentException.printSuggestions(error, console.err())) {
      console.note("Try '" + error.getCommandLine().getCommandSpec().qualifiedName() + " --help'.");
    }
    return status;
  }

  /** Reports {@code error} in the form that {@code arguments} ask for; returns the exit status. */
  int report(Throwable error, List<String> arguments) {
    // Whatever fails in an interrupted thread fails because of that: waiting, writing, computing.
    boolean interrupted = Thread.currentThread().isInterrupted();
    int status = interrupted ? INTERRUPTED : status(error);
    String message = interrupted ? "interrupted" : message(error);
    if (arguments.contains("--stacktrace")) {
      error.printStackTrace(console.err());
    }
    console.note("heddle: " + message);
    if (arguments.contains("--json")) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("error", message);
      object.put("exitStatus", status);
      Json.print(object, console.out());
    }
    return status;
  }

  private static int status(Throwable error) {
    return switch (error) {
      case InvalidInputException _, ParameterException _ -> ExitCode.USAGE;
      case FileNotFoundException _, NoSuchFileException _, AccessDeniedException _ ->
          ExitCode.USAGE;
      default -> HeddleCommand.FAILED;
    };
  }

  private static String message(Throwable error) {
    return switch (error) {
      case HeddleException expected -> textOf(expected);
      case ParameterException expected -> textOf(expected);
      case NoSuchFileException missing -> missing.getFile() + ": there is no such file";
      case AccessDeniedException denied -> denied.getFile() + ": access is denied";
      case FileSystemException failed when failed.getReason() != null ->
          failed.getFile() + ": " + failed.getReason();
      case IOException failed -> "reading or writing failed: " + textOf(failed);
      case OutOfMemoryError _ ->
          "out of memory (%s). Use fewer tokens, or give the JVM more: JDK_JAVA_OPTIONS=-Xmx8g"
              .formatted(error.getMessage());
      default ->
          "internal error: %s. Run again with --stacktrace and report what it prints."
              .formatted(error);
    };
  }

  private static String textOf(Throwable error) {
    String message = error.getMessage();
    return message == null ? error.toString() : message;
  }
}
