package dev.heddle.kernels;

import dev.heddle.api.InvalidInputException;
import java.util.Optional;

/**
 * Computes attention on one kind of processor. All backends compute exactly the meaning of the
 * indices that they are given.
 *
 * <p>Safe for use by several threads, each with its own output memory.
 */
public interface AttentionBackend extends AutoCloseable {
  /** The name by which it is chosen: {@code "reference"}, {@code "vector"}, {@code "cuda"}. */
  String name();

  /**
   * Computes all heads of {@code call} and returns when the output is written.
   *
   * @throws InvalidInputException if this backend cannot take the call's sizes, before anything is
   *     written
   */
  void attend(AttentionCall call);

  /** What this backend can do beyond that, if it computes on a GPU. */
  default Optional<GpuAttention> gpu() {
    return Optional.empty();
  }

  /** Frees threads and memory. Calls after this fail. */
  @Override
  void close();
}
