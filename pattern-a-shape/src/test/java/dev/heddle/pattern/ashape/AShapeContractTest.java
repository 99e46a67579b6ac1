package dev.heddle.pattern.ashape;

import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.testkit.PatternContract;
import java.util.List;

class AShapeContractTest extends PatternContract {
  @Override
  protected SparsePattern pattern() {
    return new AShapePattern();
  }

  @Override
  protected List<Options> optionsThatKeepAll(int keyTokens) {
    Options defaults = Options.defaults(pattern().options());
    return List.of(
        defaults.with(AShapePattern.SINK, 0).with(AShapePattern.LOCAL, keyTokens),
        defaults.with(AShapePattern.SINK, keyTokens).with(AShapePattern.LOCAL, 1),
        defaults.with(AShapePattern.SINK, keyTokens - 1).with(AShapePattern.LOCAL, 1),
        defaults
            .with(AShapePattern.SINK, Integer.MAX_VALUE)
            .with(AShapePattern.LOCAL, Integer.MAX_VALUE));
  }
}
