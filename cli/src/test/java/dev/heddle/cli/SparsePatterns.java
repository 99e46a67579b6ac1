package dev.heddle.cli;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.List;

/** Patterns from somewhere else. */
final class SparsePatterns {
  private SparsePatterns() {}

  /** Reads the block around the diagonal; has no GPU half. */
  static final class Window implements SparsePattern {
    @Override
    public String name() {
      return "window";
    }

    @Override
    public String description() {
      return "a window";
    }

    @Override
    public List<Option<?>> options() {
      return List.of();
    }

    @Override
    public BlockIndex index(HeadInputs head, Options options) {
      BlockIndexBuilder index = BlockIndex.builder(head.shape(), head.blocks());
      for (int row = 0; row < head.blocks().queryBlocks(head.shape().queryTokens()); row++) {
        index.addRange(index.firstPosition(), index.visibleKeys()).endRow();
      }
      return index.build();
    }
  }
}
