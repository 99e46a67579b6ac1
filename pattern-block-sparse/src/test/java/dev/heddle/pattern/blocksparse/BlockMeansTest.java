package dev.heddle.pattern.blocksparse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class BlockMeansTest {
  private static final HeadMatrix ROWS =
      HeadMatrix.contiguous(
          MemorySegment.ofArray(new float[] {1, 10, 3, 20, 5, 30, 7, 40, 9, 60}),
          ElementType.FLOAT32,
          5,
          2);

  @Test
  void aPartialLastBlockIsAveragedOverTheRowsThatItHas() {
    assertThat(means(2)).containsExactly(2, 15, 6, 35, 9, 60);
    assertThat(means(4)).containsExactly(4, 25, 9, 60);
    assertThat(means(5)).containsExactly(5, 32);
    assertThat(means(1)).containsExactly(1, 10, 3, 20, 5, 30, 7, 40, 9, 60);
  }

  @Test
  void blocksMayBeWiderThanTheMatrix() {
    assertThat(means(Integer.MAX_VALUE)).containsExactly(5, 32);
  }

  private static float[] means(int blockTokens) {
    HeadMatrix means = BlockMeans.of(ROWS, blockTokens);
    float[] numbers = new float[means.tokens() * means.headDim()];
    means.copyRows(0, means.tokens(), numbers, 0);
    return numbers;
  }
}
