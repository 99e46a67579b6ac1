package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.llm.KnownModel;
import dev.heddle.llm.PrefillTimes;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PrefillPictureTest {
  private static final long MILLI = 1_000_000;

  @BeforeAll
  static void withoutAScreen() {
    Canvas.requireFonts();
  }

  @Test
  void aBarHasItsPartsInTheirColoursAndLengths() {
    PrefillPicture painter =
        new PrefillPicture(
            report(
                row("dense", 8192, 8192, times(100, 200, 0, 650)),
                row("some.json", 8192, 8192, times(100, 200, 50, 150)),
                row("dense", 131_072, 131_072, times(1600, 3200, 0, 15_000)),
                row("some.json", 131_072, 131_072, times(1600, 3200, 100, 900)),
                row("some.json", 131_072, 16_384, times(1600, 3200, 200, 1000))));
    BufferedImage picture = painter.paint().image();
    // 1,000 ms of an axis of 1,000 ms; 50 of them are all else.
    assertThat(painter.edges(0, 0)).containsExactly(x(0), x(.1), x(.1), x(.75), x(.95), x(1));
    assertThat(painter.edges(0, 1)).containsExactly(x(0), x(.1), x(.15), x(.3), x(.5), x(.55));
    // 19.85 s of an axis of 20 s.
    assertThat(painter.edges(1, 0)[5]).isEqualTo(x(19.85 / 20));
    assertThat(painter.edges(1, 2)[5]).isEqualTo(x(6.05 / 20));
    assertBar(picture, painter, 0, 0);
    assertBar(picture, painter, 0, 1);
    assertBar(picture, painter, 1, 0);
    assertBar(picture, painter, 1, 2);
  }

  private static int x(double share) {
    return PrefillPicture.LEFT + (int) Math.round(share * PrefillPicture.AXIS_WIDTH);
  }

  private static void assertBar(BufferedImage picture, PrefillPicture painter, int panel, int bar) {
    int[] edges = painter.edges(panel, bar);
    for (int part = 0; part < PrefillPicture.PARTS.size(); part++) {
      for (int x = edges[part]; x < edges[part + 1]; x++) {
        assertThat(new Color(picture.getRGB(x, painter.middle(panel, bar))))
            .as("panel %d, bar %d, part %d, %d", panel, bar, part, x)
            .isEqualTo(PrefillPicture.PARTS.get(part).colour());
      }
    }
    assertThat(new Color(picture.getRGB(edges[5] + 2, painter.middle(panel, bar))))
        .isEqualTo(Color.WHITE);
  }

  /** A device may be a little ahead of the clock on the wall. */
  @Test
  void noPartIsNegative() {
    PrefillTimes times = new PrefillTimes(95 * MILLI, 50 * MILLI, 50 * MILLI, 0, 0, List.of());
    PrefillPicture painter = new PrefillPicture(report(row("dense", 100, 100, times)));
    assertThat(painter.edges(0, 0)).isSorted();
    assertThat(painter.paint().image().getHeight()).isPositive();
  }

  private static PrefillBenchReport report(PrefillBenchReport.Row... rows) {
    return new PrefillBenchReport(
        new PrefillBenchReport.Setting("llama-3-8b", KnownModel.named("llama-3-8b").config(), 2),
        List.of(),
        List.of(rows));
  }

  private static PrefillBenchReport.Row row(
      String heads, int tokens, int chunkTokens, PrefillTimes times) {
    return new PrefillBenchReport.Row(
        new PrefillBenchReport.Case(heads, tokens, chunkTokens), times, 0);
  }

  /** Parts in milliseconds, and 50 ms of all else. */
  private static PrefillTimes times(long projection, long feedForward, long index, long attention) {
    return new PrefillTimes(
        (projection + feedForward + index + attention + 50) * MILLI,
        projection * MILLI,
        feedForward * MILLI,
        index * MILLI,
        attention * MILLI,
        List.of());
  }
}
