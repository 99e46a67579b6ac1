package dev.heddle.api;

import java.util.Optional;

/**
 * The GPU half of a pattern: builds the indices of all its heads on the device and computes their
 * attention in one launch. Stateless and safe for use by several threads.
 *
 * <p>The meaning is that of {@link SparsePattern#index}: the index built here equals the host's,
 * except where scores lie within rounding of a cut-off.
 */
public interface GpuKernels {
  /**
   * The kernels. Where the build left them out, or they are text that cannot be compiled here, the
   * host builds the index.
   */
  KernelSource source();

  /**
   * Whether a head with these options reads every key of such a sequence: then the dense kernel
   * computes it.
   */
  boolean readsAll(AttentionShape shape, Options options);

  /**
   * Cells (query, key) that a head computes of such a sequence. Only asked of patterns whose index
   * is {@link GpuIndex#COMPUTED}; others are counted on the device.
   */
  default long cells(AttentionShape shape, BlockShape blocks, Options options) {
    throw new UnsupportedOperationException("the index is counted on the device");
  }

  /**
   * What a head with these options is likely to take of such a sequence. Where dense attention
   * takes no longer, the head runs dense and its index is not built. Nothing, the default, means
   * that the pattern is never slower.
   */
  default Optional<GpuCost> cost(AttentionShape shape, BlockShape blocks, Options options) {
    return Optional.empty();
  }

  /**
   * The most device memory that {@link #index} and {@link #attend} take, in bytes; checked against
   * the free memory before anything is queued.
   */
  long scratchBytes(GpuCall call);

  /** Queues the building of the indices of all heads of {@code call}. */
  GpuIndex index(GpuCall call, GpuTables tables, GpuQueue queue);

  /**
   * Queues the attention of all heads of {@code call}. By default the host's own kernel reads the
   * rows of {@code index}, which cannot be {@link GpuIndex#COMPUTED} then.
   */
  default void attend(GpuCall call, GpuTables tables, GpuIndex index, GpuQueue queue) {
    queue.attend(call, tables, index);
  }
}
