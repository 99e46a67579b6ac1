package dev.heddle.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The processor of this machine.
 *
 * @param name as the operating system calls it, else its architecture
 * @param threads hardware threads that the JVM may use
 */
record Processor(String name, int threads) {
  private static final Path LINUX_LIST = Path.of("/proc/cpuinfo");

  /** Looks at this machine. */
  static Processor ofMachine() {
    return new Processor(modelName(), Runtime.getRuntime().availableProcessors());
  }

  private static String modelName() {
    String architecture = System.getProperty("os.arch");
    if (!Files.isReadable(LINUX_LIST)) {
      return architecture;
    }
    try (Stream<String> lines = Files.lines(LINUX_LIST)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(architecture);
    } catch (IOException unreadable) {
      return architecture;
    }
  }
}
