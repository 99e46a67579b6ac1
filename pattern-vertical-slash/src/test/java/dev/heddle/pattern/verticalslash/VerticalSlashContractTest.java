package dev.heddle.pattern.verticalslash;

import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.testkit.PatternContract;
import java.util.List;

class VerticalSlashContractTest extends PatternContract {
  @Override
  protected SparsePattern pattern() {
    return new VerticalSlashPattern();
  }

  @Override
  protected List<Options> optionsThatKeepAll(int keyTokens) {
    Options defaults = Options.defaults(pattern().options());
    Options none =
        defaults
            .with(VerticalSlashPattern.VERTICALS, 0)
            .with(VerticalSlashPattern.SLASHES, 0)
            .with(VerticalSlashPattern.SINK, 0)
            .with(VerticalSlashPattern.LOCAL, 1);
    return List.of(
        none.with(VerticalSlashPattern.VERTICALS, keyTokens),
        none.with(VerticalSlashPattern.SLASHES, Integer.MAX_VALUE),
        none.with(VerticalSlashPattern.SINK, keyTokens - 1),
        none.with(VerticalSlashPattern.LOCAL, keyTokens));
  }
}
