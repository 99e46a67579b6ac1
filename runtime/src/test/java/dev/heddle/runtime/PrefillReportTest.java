package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.runtime.PrefillReport.Head;
import java.util.List;
import org.junit.jupiter.api.Test;

class PrefillReportTest {
  /** A first chunk that is dense because it is short, and the chunk behind it. */
  @Test
  void chunksAddUp() {
    PrefillReport first =
        new PrefillReport(3, List.of(new Head("dense", 10, 10), new Head("dense", 10, 10)), 5, 7);
    PrefillReport next =
        new PrefillReport(3, List.of(new Head("dense", 26, 26), new Head("a-shape", 4, 26)), 1, 2);
    PrefillReport sum = first.plus(next);
    assertThat(sum)
        .isEqualTo(
            new PrefillReport(
                3, List.of(new Head("dense", 36, 36), new Head("a-shape", 14, 36)), 6, 9));
    assertThat(sum.density()).isEqualTo(50.0 / 72);
  }
}
