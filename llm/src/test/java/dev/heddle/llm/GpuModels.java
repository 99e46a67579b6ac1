package dev.heddle.llm;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.kernels.Availability;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;

/** What tests of models on a GPU need of the machine. */
final class GpuModels {
  private GpuModels() {}

  /** The backend that runs models on a GPU; the test is skipped, with the reason, without one. */
  static BackendProvider require() {
    BackendProvider cuda =
        Backends.standard().providers().stream()
            .filter(BackendProvider::hasStreams)
            .findFirst()
            .orElseThrow();
    Availability streams = cuda.streams();
    assumeTrue(streams instanceof Availability.Available, "no model on a GPU: " + streams);
    return cuda;
  }
}
