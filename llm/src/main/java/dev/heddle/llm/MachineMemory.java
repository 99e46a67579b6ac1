package dev.heddle.llm;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** How much memory can still be used on this machine. */
public final class MachineMemory {
  private static final Path MEMINFO = Path.of("/proc/meminfo");
  private static final Pattern AVAILABLE = Pattern.compile("MemAvailable:\\s+(\\d+) kB");
  private static final long KIBIBYTE = 1024;

  private MachineMemory() {}

  /**
   * Bytes that can be allocated without swapping: what Linux calls available, which counts file
   * pages that can be dropped, elsewhere what is free; never more than the container's limit.
   */
  public static long availableBytes() {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    long total = system.getTotalMemorySize();
    try (Stream<String> lines = Files.lines(MEMINFO)) {
      return lines
          .map(AVAILABLE::matcher)
          .filter(Matcher::matches)
          .mapToLong(line -> Long.parseLong(line.group(1)) * KIBIBYTE)
          .map(available -> Math.min(available, total))
          .findFirst()
          .orElseGet(system::getFreeMemorySize);
    } catch (IOException notLinux) {
      return system.getFreeMemorySize();
    }
  }
}
