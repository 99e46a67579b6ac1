package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Runs Java and other programs beside the tests, for what only a new process can show. */
final class ChildJava {
  private static final Path MODULE = Path.of(System.getProperty("basedir", "."));

  private ChildJava() {}

  static Path module() {
    return MODULE;
  }

  static String classes() {
    return MODULE.resolve("target/classes").toString();
  }

  static String testClasses() {
    return MODULE.resolve("target/test-classes").toString();
  }

  /** All that the tests themselves see. */
  static String classPath() {
    return Stream.of(
            classes(),
            testClasses(),
            System.getProperty("jdk.module.path", ""),
            System.getProperty("java.class.path", ""))
        .filter(part -> !part.isEmpty())
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** Runs this JVM's Java, and gives what it prints. */
  static String run(List<String> arguments) throws IOException, InterruptedException {
    return run(arguments, Map.of());
  }

  static String run(List<String> arguments, Map<String, String> environment)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(arguments);
    return runProgram(command, environment);
  }

  static String runProgram(List<String> command, Map<String, String> environment)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s:%n%s", command, output).isZero();
    return output;
  }
}
