package dev.heddle.pattern.ashape;

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
 * A-shape: every query reads the first {@code sink} keys and the last {@code local} keys up to its
 * own. It does not look at the numbers, so its index costs almost nothing.
 *
 * @see <a href="https://arxiv.org/abs/2309.17453">Efficient Streaming Language Models with
 *     Attention Sinks (2023)</a>
 */
public final class AShapePattern implements SparsePattern {
  static final Option<Integer> SINK =
      Option.tokens("sink", 128, 0, "Keys at the start of the sequence that every query reads.");

  static final Option<Integer> LOCAL =
      Option.tokens(
          "local", 1024, 1, "Keys that every query reads up to and including its own position.");

  private static final Optional<GpuKernels> GPU = Optional.of(new AShapeKernels());

  @Override
  public String name() {
    return "a-shape";
  }

  @Override
  public String description() {
    return "the first keys and a window before each query; for heads that look at nothing else";
  }

  @Override
  public String inChunks() {
    return "nothing changes where chunks begin at multiples of 128 tokens; elsewhere blocks are rounded"
        + " otherwise";
  }

  @Override
  public List<Option<?>> options() {
    return List.of(SINK, LOCAL);
  }

  @Override
  public Optional<GpuKernels> gpu() {
    return GPU;
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    return new AShapeIndexBuilder(options.get(SINK), options.get(LOCAL))
        .build(head.shape(), head.blocks());
  }

  /**
   * The one candidate of MInference's search, 1024 sinks and a window of 4096, and two with fewer
   * sinks for the same window: attention sinks are the first few tokens.
   */
  @Override
  public List<Options> candidates(AttentionShape shape) {
    return List.of(candidate(1024), candidate(64), candidate(8));
  }

  /** The window is the budget; sinks are few and stay, unless the window gets smaller than they. */
  @Override
  public Options resized(Options options, double factor) {
    int local = LOCAL.scale(options.get(LOCAL), factor);
    return options.with(LOCAL, local).with(SINK, Math.min(options.get(SINK), local));
  }

  private Options candidate(int sink) {
    return Options.defaults(options()).with(SINK, sink).with(LOCAL, 4096);
  }
}
