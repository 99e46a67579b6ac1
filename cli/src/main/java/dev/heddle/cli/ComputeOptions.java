package dev.heddle.cli;

import dev.heddle.kernels.Backends;
import picocli.CommandLine.Option;

/** Who computes. */
final class ComputeOptions {
  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "cuda, vector, reference, or auto (the default): the first that can run here.")
  private String backend = Backends.AUTO;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads to compute with; as many as processors by default.")
  private int threads = Runtime.getRuntime().availableProcessors();

  String backend() {
    return backend;
  }

  int threads() {
    return threads;
  }
}
