package dev.heddle.runtime;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.List;

/** The pattern in which every query reads every key up to its own position. */
final class DensePattern implements SparsePattern {
  @Override
  public String name() {
    return PatternRegistry.DENSE;
  }

  @Override
  public String description() {
    return "every query reads every key before it; for heads that no sparse pattern suits";
  }

  @Override
  public String inChunks() {
    return "nothing changes";
  }

  @Override
  public List<Option<?>> options() {
    return List.of();
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    return BlockIndex.dense(head.shape(), head.blocks());
  }
}
