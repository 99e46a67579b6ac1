package dev.heddle.testkit;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.List;

/** A window before each query: a good pattern, which the bad ones are made from. */
class Window implements SparsePattern {
  static final Option<Integer> LOCAL = Option.tokens("local", 64, 1, "Window.");

  @Override
  public String name() {
    return "window";
  }

  @Override
  public String description() {
    return "a window before each query";
  }

  @Override
  public List<Option<?>> options() {
    return List.of(LOCAL);
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    return window(head, options.get(LOCAL));
  }

  static BlockIndex window(HeadInputs head, int local) {
    BlockIndexBuilder index = BlockIndex.builder(head.shape(), head.blocks());
    for (int row = 0; row < head.blocks().queryBlocks(head.shape().queryTokens()); row++) {
      if (local > 0) {
        index.addRange(index.firstPosition() - local + 1L, index.visibleKeys());
      }
      index.endRow();
    }
    return index.build();
  }
}
