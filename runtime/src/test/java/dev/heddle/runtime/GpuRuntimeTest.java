package dev.heddle.runtime;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.GpuAttention;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;

/** Tests that need a GPU: skipped, with the reason, where the CUDA backend cannot run. */
@Tag("gpu")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class GpuRuntimeTest {
  protected final PatternRegistry registry = PatternRegistry.discover();
  protected AttentionBackend cuda;
  protected GpuAttention gpu;

  @BeforeAll
  final void open() {
    BackendProvider provider = Backends.standard().providers().getFirst();
    String reason = provider.availability() instanceof Refused refused ? refused.reason() : "";
    assumeTrue(reason.isEmpty(), "no GPU to test on: " + reason);
    cuda = provider.open(1);
    gpu = cuda.gpu().orElseThrow();
  }

  @AfterAll
  final void close() {
    if (cuda != null) {
      cuda.close();
    }
  }
}
