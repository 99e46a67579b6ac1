package com.example.library;

import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Computes one layer, with heads from a file if one is named: {@code [--device] [HEADS_FILE]}. */
public final class Application {
  private static final int TOKENS = 4096;

  private Application() {}

  /** Prints what was computed. */
  public static void main(String[] arguments) {
    List<String> words = Arrays.asList(arguments);
    Optional<Path> file =
        words.stream().filter(word -> !word.startsWith("--")).findFirst().map(Path::of);
    HeadsConfig heads = file.map(Heads::fromFile).orElseGet(Heads::inCode);

    try (Arena arena = Arena.ofShared();
        SparseAttention attention = SparseAttention.builder().heads(heads).build()) {
      Layer layer = Layer.random(heads.shape(), TOKENS, arena, new Random(1));
      PrefillReport report = Calls.onHostMemory(attention, 0, layer);
      System.out.printf(
          "heads from %s, %s backend: %d tokens, %.1f %% of the cells computed%n",
          file.map(Path::toString).orElse("code"),
          attention.backendName(),
          TOKENS,
          100 * report.density());
      if (words.contains("--device")) {
        compareWithDeviceMemory(attention, layer);
      }
    }
  }

  private static void compareWithDeviceMemory(SparseAttention attention, Layer layer) {
    MemorySegment onHost =
        MemorySegment.ofArray(layer.out().memory().toArray(ValueLayout.JAVA_FLOAT));
    try (DeviceMemory gpu = new DeviceMemory()) {
      Calls.onDeviceMemory(attention, 0, layer, gpu);
    }
    System.out.printf(
        "device memory: the output differs by at most %.1e%n",
        greatestDifference(onHost, layer.out().memory()));
  }

  static double greatestDifference(MemorySegment one, MemorySegment other) {
    double greatest = 0;
    for (long i = 0; i < one.byteSize() / Float.BYTES; i++) {
      double difference =
          Math.abs(
              one.getAtIndex(ValueLayout.JAVA_FLOAT, i)
                  - other.getAtIndex(ValueLayout.JAVA_FLOAT, i));
      greatest = Math.max(greatest, difference);
    }
    return greatest;
  }
}
