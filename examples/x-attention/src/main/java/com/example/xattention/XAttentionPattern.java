package com.example.xattention;

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
 * XAttention: each query block reads the key blocks that hold a share of the attention, as sums of
 * scores over antidiagonals estimate it; the sink blocks and the blocks on the diagonal always
 * among them.
 *
 * @see <a href="https://arxiv.org/abs/2503.16428">XAttention: Block Sparse Attention with
 *     Antidiagonal Scoring (2025)</a>
 */
public final class XAttentionPattern implements SparsePattern {
  static final Option<Integer> STRIDE =
      new Option<>(
          "stride",
          Integer.class,
          "tokens",
          16,
          8,
          32,
          "Side of the squares whose antidiagonals are summed, rounded down to a power of two;"
              + " estimating costs one stride-th of all scores.");

  static final Option<Double> THRESHOLD =
      Option.fraction(
          "threshold", 0.9, "Share of the estimated attention that each query block keeps.");

  static final Option<Integer> SINK_BLOCKS =
      Option.count(
          "sink-blocks",
          "key blocks",
          1,
          0,
          "Key blocks at the start of the sequence that every query block reads.");

  private static final Optional<GpuKernels> GPU = Optional.of(new XAttentionKernels());

  @Override
  public String name() {
    return "x-attention";
  }

  @Override
  public String description() {
    return "the key blocks that hold a share of the attention, estimated from antidiagonals";
  }

  @Override
  public List<Option<?>> options() {
    return List.of(STRIDE, THRESHOLD, SINK_BLOCKS);
  }

  @Override
  public Optional<GpuKernels> gpu() {
    return GPU;
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    return new XAttentionIndexBuilder(
            options.get(STRIDE), options.get(THRESHOLD), options.get(SINK_BLOCKS))
        .build(head);
  }

  /** The paper's settings. */
  @Override
  public List<Options> candidates(AttentionShape shape) {
    Options defaults = Options.defaults(options());
    return List.of(defaults, defaults.with(STRIDE, 8), defaults.with(THRESHOLD, 0.95));
  }
}
