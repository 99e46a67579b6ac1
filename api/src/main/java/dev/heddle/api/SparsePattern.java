package dev.heddle.api;

import java.util.List;
import java.util.Optional;

/**
 * A sparse attention strategy: the service type of every pattern plugin.
 *
 * <p>A pattern is found with {@link java.util.ServiceLoader}; its module says {@code provides
 * SparsePattern with …}. An instance must be cheap to construct (no I/O, no native code), stateless
 * and safe to call from many threads.
 *
 * @see <a href="https://arxiv.org/abs/2407.02490">MInference 1.0: Accelerating Pre-filling for
 *     Long-Context LLMs via Dynamic Sparse Attention (2024)</a>, the method that the built-in
 *     patterns follow
 */
public interface SparsePattern {
  /**
   * The name by which heads files refer to this pattern: lower-case words joined by dashes, unique
   * among the patterns of a registry, such as {@code "vertical-slash"}.
   */
  String name();

  /** One sentence for listings: what the heads that suit this pattern look at. */
  String description();

  /**
   * What changes when a prompt is read in chunks, one phrase for listings: each chunk's queries
   * come with the keys up to its end, and have an index of their own. By default that alone is
   * said.
   */
  default String inChunks() {
    return "each chunk has an index of its own, from its queries and the keys up to its end";
  }

  /** Every option that this pattern reads, in the order in which they are documented. */
  List<Option<?>> options();

  /**
   * Builds the index of one head for one prompt. This is the meaning of the pattern; every backend
   * computes exactly what the index says.
   *
   * @param head Q, K, V and the sizes; only read
   * @param options values for {@link #options()}, checked and complete
   * @return an index for {@code head.shape()} in blocks of {@code head.blocks()}
   */
  BlockIndex index(HeadInputs head, Options options);

  /**
   * The pattern's GPU half. A pattern without one runs on a GPU all the same: its host index is
   * uploaded and the shared kernel reads it. Cheap, and the same object each time.
   */
  default Optional<GpuKernels> gpu() {
    return Optional.empty();
  }

  /**
   * The options that an offline search may try for heads of this shape, most promising first. By
   * default the declared defaults alone.
   */
  default List<Options> candidates(AttentionShape shape) {
    return List.of(Options.defaults(options()));
  }

  /**
   * The same options with a budget {@code factor} times as large, as nearly as their ranges allow:
   * how the search fits a candidate to what may be spent. By default every integer is multiplied; a
   * pattern overrides this where an integer is no budget.
   *
   * @param factor above 0
   */
  default Options resized(Options options, double factor) {
    Options resized = options;
    for (Option<?> option : options()) {
      if (options.get(option) instanceof Integer size) {
        resized = resized.with(option.name(), option.scale(size, factor));
      }
    }
    return resized;
  }
}
