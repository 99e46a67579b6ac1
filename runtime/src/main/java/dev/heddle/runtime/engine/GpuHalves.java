package dev.heddle.runtime.engine;

import dev.heddle.api.GpuKernels;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.AttentionPlan.Assignment;
import dev.heddle.runtime.PatternFailedException;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The GPU halves that can run here: those with an image in this build. Each pattern is asked once,
 * so that all its heads share one object and with that one launch.
 */
final class GpuHalves {
  private final Map<SparsePattern, Optional<GpuKernels>> byPattern = new ConcurrentHashMap<>();

  @Inject
  GpuHalves() {}

  /**
   * The GPU half for a head of the model.
   *
   * @throws PatternFailedException if the pattern fails when it is asked
   */
  Optional<GpuKernels> of(Assignment assignment, int layer, int head) {
    Optional<GpuKernels> known = byPattern.get(assignment.pattern());
    if (known == null) {
      known = ask(assignment.pattern(), layer, head);
      byPattern.put(assignment.pattern(), known);
    }
    return known;
  }

  private static Optional<GpuKernels> ask(SparsePattern pattern, int layer, int head) {
    try {
      return pattern.gpu().filter(kernels -> kernels.source().isPresent());
    } catch (OutOfMemoryError notThePatternsFault) {
      throw notThePatternsFault;
    } catch (Throwable failure) { // foreign code may throw anything; the message must say whose
      throw new PatternFailedException(pattern.name(), layer, head, failure);
    }
  }
}
