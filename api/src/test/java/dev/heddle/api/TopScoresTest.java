package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TopScoresTest {
  @Test
  void picksWhatAStableSortPicks() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      float[] scores = new float[1 + random.nextInt(300)];
      boolean coarse = random.nextBoolean(); // many ties
      for (int i = 0; i < scores.length; i++) {
        double score = Math.scalb(random.nextGaussian(), random.nextInt(60) - 30);
        scores[i] = (float) (coarse ? Math.rint(score) : score);
      }
      int length = random.nextInt(scores.length + 1);
      int count = random.nextInt(length + 2);
      assertThat(TopScores.select(scores, length, count))
          .as("seed %d", seed)
          .containsExactly(sorted(scores, length, count));
    }
  }

  @Test
  void tiesGoToTheLowerPlace() {
    assertThat(TopScores.select(new float[] {1, 2, 1, 2, 1, 1}, 6, 4)).containsExactly(0, 1, 2, 3);
    assertThat(TopScores.select(new float[] {-0.0f, 0.0f, -0.0f}, 3, 1)).containsExactly(0);
  }

  @Test
  void nanRanksWithNegativeInfinity() {
    float[] scores = {
      Float.NaN, Float.NEGATIVE_INFINITY, -Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NaN
    };
    assertThat(TopScores.select(scores, 5, 2)).containsExactly(2, 3);
    assertThat(TopScores.select(scores, 5, 3)).containsExactly(0, 2, 3);
    assertThat(TopScores.select(scores, 5, 4)).containsExactly(0, 1, 2, 3);
  }

  @Test
  void picksAllWhenAskedForMore() {
    assertThat(TopScores.select(new float[] {3, 1}, 2, Integer.MAX_VALUE)).containsExactly(0, 1);
    assertThat(TopScores.select(new float[] {3, 1}, 2, 0)).isEmpty();
    assertThat(TopScores.select(new float[] {}, 0, 1)).isEmpty();
  }

  @Test
  void refusesWhatIsNotThere() {
    assertThatThrownBy(() -> TopScores.select(new float[2], 3, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> TopScores.select(new float[2], 2, -1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("count must be at least 0, but is -1");
  }

  private static int[] sorted(float[] scores, int length, int count) {
    return IntStream.range(0, length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer place) -> -(scores[place] + 0.0f)))
        .limit(count)
        .mapToInt(Integer::intValue)
        .sorted()
        .toArray();
  }
}
