package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The command in a process of its own, as the launcher starts it for a terminal. */
final class ChildCommand implements AutoCloseable {
  private static final int MOST_SECONDS = 90;

  private final Path out;
  private final Path err;
  private final Process process;

  private ChildCommand(Path out, Path err, Process process) {
    this.out = out;
    this.err = err;
    this.process = process;
  }

  /**
   * Starts it.
   *
   * @param logs a folder for what it prints
   */
  static ChildCommand start(Path logs, Object... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED,ai.djl.tokenizers,com.sun.jna",
            "-Dheddle.home=" + CommandRun.REPOSITORY,
            "-Dheddle.terminal=true",
            "-p",
            System.getProperty("jdk.module.path"),
            "-cp", // of automatic modules: those that no descriptor names
            System.getProperty("java.class.path"),
            "-m",
            "dev.heddle.cli/dev.heddle.cli.Heddle"));
    Arrays.stream(arguments).map(String::valueOf).forEach(command::add);
    Path out = logs.resolve("out.txt");
    Path err = logs.resolve("err.txt");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    return new ChildCommand(out, err, builder.start());
  }

  /** What is waited for. */
  @FunctionalInterface
  interface Condition {
    boolean isMet() throws IOException;
  }

  /** Waits while the process runs; fails if it ends or the time does. */
  void await(Condition condition) throws IOException, InterruptedException {
    for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
        !condition.isMet();
        Thread.sleep(20)) {
      assertThat(process.isAlive()).as("the process runs: %s", err()).isTrue();
      assertThat(end - System.nanoTime()).as("time: %s", err()).isPositive();
    }
  }

  /** Sends a signal: {@code "INT"} or {@code "TERM"}. */
  void signal(String name) throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + name, "" + process.pid()).inheritIO().start();
    assertThat(kill.waitFor()).isZero();
  }

  /** The exit status, once the process has ended. */
  int status() throws IOException, InterruptedException {
    assertThat(process.waitFor(MOST_SECONDS, TimeUnit.SECONDS)).as("it ends: %s", err()).isTrue();
    return process.exitValue();
  }

  String out() throws IOException {
    return Files.readString(out);
  }

  String err() throws IOException {
    return Files.readString(err);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
