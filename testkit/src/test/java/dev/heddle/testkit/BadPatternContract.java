package dev.heddle.testkit;

import dev.heddle.api.SparsePattern;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestInstancePostProcessor;

/**
 * The kit on a bad pattern, as its author would run it. Only {@link PatternContractTest} runs this,
 * and says which pattern is meant.
 */
@ExtendWith(BadPatternContract.Choice.class)
class BadPatternContract extends PatternContract {
  static final String PARAMETER = "heddle.bad-pattern";

  private @Nullable BadPattern chosen;

  @Override
  protected SparsePattern pattern() {
    if (chosen == null) {
      throw new IllegalStateException("no pattern has been chosen");
    }
    return chosen.made.get();
  }

  /** No pattern of a test is a service. */
  @Override
  public void isFoundAsAService() {}

  @Override
  protected Duration timeLimit() {
    return Duration.ofSeconds(2);
  }

  static final class Choice implements TestInstancePostProcessor {
    @Override
    public void postProcessTestInstance(Object instance, ExtensionContext context) {
      context
          .getConfigurationParameter(PARAMETER)
          .ifPresent(name -> ((BadPatternContract) instance).chosen = BadPattern.valueOf(name));
    }
  }
}
