package dev.heddle.pattern.blocksparse;

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
 * Block-Sparse: each query block reads the key blocks whose mean key scores highest with its mean
 * query, the sink blocks and the blocks on the diagonal always among them.
 *
 * <p>A score that is not a number counts as the lowest there is.
 *
 * @see <a href="https://arxiv.org/abs/2407.02490">MInference 1.0 (2024), section 3.2</a>
 */
public final class BlockSparsePattern implements SparsePattern {
  static final Option<Integer> BLOCKS =
      Option.count(
          "blocks",
          "key blocks",
          100,
          1,
          "Key blocks that each query block reads: those that score highest, sinks and diagonal"
              + " among them.");

  static final Option<Integer> SINK_BLOCKS =
      Option.count(
          "sink-blocks",
          "key blocks",
          1,
          0,
          "Key blocks at the start of the sequence that every query block reads.");

  private static final Optional<GpuKernels> GPU = Optional.of(new BlockSparseKernels());

  @Override
  public String name() {
    return "block-sparse";
  }

  @Override
  public String description() {
    return "the key blocks that score highest by their means, chosen for each query block";
  }

  @Override
  public String inChunks() {
    return "nothing changes where chunks begin at multiples of 128 tokens; elsewhere query blocks hold"
        + " other queries";
  }

  @Override
  public List<Option<?>> options() {
    return List.of(BLOCKS, SINK_BLOCKS);
  }

  @Override
  public Optional<GpuKernels> gpu() {
    return GPU;
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    return new BlockSparseIndexBuilder(options.get(BLOCKS), options.get(SINK_BLOCKS)).build(head);
  }

  /** The one candidate of MInference's search: 100 key blocks. */
  @Override
  public List<Options> candidates(AttentionShape shape) {
    return List.of(Options.defaults(options()).with(BLOCKS, 100));
  }

  /** The blocks are the budget; the sink blocks are among them. */
  @Override
  public Options resized(Options options, double factor) {
    return options.with(BLOCKS, BLOCKS.scale(options.get(BLOCKS), factor));
  }
}
