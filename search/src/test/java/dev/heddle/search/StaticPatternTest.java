package dev.heddle.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.HeadInputs;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.PatternRegistry;
import org.junit.jupiter.api.Test;

class StaticPatternTest {
  private static final int HEAD_DIM = 32;

  @Test
  void theFirstPromptOfALengthDecides() {
    SparsePattern original = PatternRegistry.discover().get("vertical-slash");
    SparsePattern fixed = StaticPattern.all(PatternRegistry.discover()).get("vertical-slash");
    Options options =
        Options.defaults(original.options()).with("verticals", 40).with("slashes", 110);
    try (RandomHead random = new RandomHead(1024, HEAD_DIM, 1);
        RandomHead other = new RandomHead(1024, HEAD_DIM, 2);
        RandomHead longer = new RandomHead(1100, HEAD_DIM, 3)) {
      HeadInputs first = random.inputs();
      HeadInputs second = other.inputs();
      assertThat(original.index(second, options)).isNotEqualTo(original.index(first, options));
      assertThat(fixed.index(first, options)).isEqualTo(original.index(first, options));
      assertThat(fixed.index(second, options)).isEqualTo(original.index(first, options));
      assertThat(fixed.index(longer.inputs(), options))
          .isEqualTo(original.index(longer.inputs(), options));
    }
  }
}
