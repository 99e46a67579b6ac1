package dev.heddle.pattern.blocksparse;

import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.testkit.PatternContract;
import java.util.List;

class BlockSparseContractTest extends PatternContract {
  @Override
  protected SparsePattern pattern() {
    return new BlockSparsePattern();
  }

  @Override
  protected List<Options> optionsThatKeepAll(int keyTokens) {
    Options defaults = Options.defaults(pattern().options());
    return List.of(
        defaults.with(BlockSparsePattern.BLOCKS, keyTokens),
        defaults.with(BlockSparsePattern.BLOCKS, Integer.MAX_VALUE),
        defaults
            .with(BlockSparsePattern.BLOCKS, 1)
            .with(BlockSparsePattern.SINK_BLOCKS, keyTokens));
  }
}
