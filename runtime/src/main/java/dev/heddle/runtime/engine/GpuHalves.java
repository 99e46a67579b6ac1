package dev.heddle.runtime.engine;

import dev.heddle.api.GpuKernels;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.GpuAttention;
import dev.heddle.runtime.AttentionPlan.Assignment;
import dev.heddle.runtime.PatternFailedException;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The GPU halves that can run here: those whose kernels the backend has or can compile. Each
 * pattern is asked once, so that all its heads share one object and with that one launch, and so
 * that the user is told once of kernels that cannot run.
 */
final class GpuHalves {
  private final Map<SparsePattern, Optional<GpuKernels>> byPattern = new ConcurrentHashMap<>();

  private final AttentionSettings settings;

  @Inject
  GpuHalves(AttentionSettings settings) {
    this.settings = settings;
  }

  /**
   * The GPU half for a head of the model.
   *
   * @throws PatternFailedException if the pattern fails when it is asked
   */
  Optional<GpuKernels> of(Assignment assignment, int layer, int head, GpuAttention gpu) {
    SparsePattern pattern = assignment.pattern();
    return byPattern.computeIfAbsent(
        pattern,
        unknown -> ask(pattern, layer, head).filter(kernels -> canRun(pattern, kernels, gpu)));
  }

  private boolean canRun(SparsePattern pattern, GpuKernels kernels, GpuAttention gpu) {
    return switch (gpu.availability(kernels.source())) {
      case Available available -> true;
      case Refused(String reason, String remedy) -> {
        settings
            .notes()
            .accept(
                "going on with indices of the host for pattern '%s': %s; %s"
                    .formatted(pattern.name(), reason, remedy));
        yield false;
      }
    };
  }

  private static Optional<GpuKernels> ask(SparsePattern pattern, int layer, int head) {
    try {
      return pattern.gpu();
    } catch (OutOfMemoryError notThePatternsFault) {
      throw notThePatternsFault;
    } catch (Throwable failure) { // foreign code may throw anything; the message must say whose
      throw new PatternFailedException(pattern.name(), layer, head, failure);
    }
  }
}
