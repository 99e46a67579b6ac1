package dev.heddle.pattern.verticalslash;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.List;
import java.util.Optional;

/**
 * Vertical-Slash: all queries read the same few keys (verticals), and each query reads the keys at
 * the same few offsets before itself (slashes). The last queries of the prompt are scored against
 * all keys; the columns and the offsets that draw the most attention there are kept.
 *
 * <p>Linear in the prompt. A score that is not a number counts as the lowest there is.
 *
 * @see <a href="https://arxiv.org/abs/2407.02490">MInference 1.0 (2024), section 3.2</a>
 */
public final class VerticalSlashPattern implements SparsePattern {
  static final Option<Integer> VERTICALS =
      Option.count(
          "verticals",
          "columns",
          1000,
          0,
          "Keys that every query reads: those that draw the most attention, sinks among them.");

  static final Option<Integer> SLASHES =
      Option.count(
          "slashes",
          "offsets",
          6096,
          0,
          "Offsets before itself at which every query reads: those that draw the most attention,"
              + " the local ones among them.");

  static final Option<Integer> PROBE_QUERIES =
      Option.count(
          "probe-queries",
          "queries",
          64,
          1,
          "Queries at the end of the prompt whose attention decides what is kept.");

  static final Option<Integer> SINK =
      Option.tokens("sink", 30, 0, "Keys at the start of the sequence that are always kept.");

  static final Option<Integer> LOCAL =
      Option.tokens(
          "local",
          100,
          1,
          "Keys up to and including each query's own position that are always kept.");

  private static final Optional<GpuKernels> GPU = Optional.of(new VerticalSlashKernels());

  @Override
  public String name() {
    return "vertical-slash";
  }

  @Override
  public String description() {
    return "single keys and fixed offsets that the last queries attend to most";
  }

  @Override
  public String inChunks() {
    return "each chunk keeps the columns and offsets that its own last queries attend to most, not those"
        + " of the prompt's end";
  }

  @Override
  public List<Option<?>> options() {
    return List.of(VERTICALS, SLASHES, PROBE_QUERIES, SINK, LOCAL);
  }

  @Override
  public Optional<GpuKernels> gpu() {
    return GPU;
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    return builder(options).build(head);
  }

  static VerticalSlashIndexBuilder builder(Options options) {
    return new VerticalSlashIndexBuilder(
        options.get(VERTICALS),
        options.get(SLASHES),
        options.get(PROBE_QUERIES),
        options.get(SINK),
        options.get(LOCAL));
  }

  /**
   * The four candidates of MInference's search, from mostly slashes to mostly verticals, and
   * verticals behind hardly more than the local offsets.
   */
  @Override
  public List<Options> candidates(AttentionShape shape) {
    return List.of(
        candidate(30, 2048),
        candidate(100, 1800),
        candidate(500, 1500),
        candidate(1000, 500),
        candidate(3000, 200));
  }

  /** Verticals and slashes are the budget; what is forced is not. */
  @Override
  public Options resized(Options options, double factor) {
    return options
        .with(VERTICALS, VERTICALS.scale(options.get(VERTICALS), factor))
        .with(SLASHES, SLASHES.scale(options.get(SLASHES), factor));
  }

  private Options candidate(int verticals, int slashes) {
    return Options.defaults(options()).with(VERTICALS, verticals).with(SLASHES, slashes);
  }
}
