package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.InvalidIndexException;
import org.junit.jupiter.api.Test;

/** What rows of entries on the device mean on the host. */
class DeviceIndexRowsTest {
  private static final AttentionShape SHAPE = new AttentionShape(1, 1, 130, 230, 64);
  private static final int UNREAD_BY_FIRST = 1 << GpuIndex.UNREAD_BIT;
  private static final int UNREAD_BY_LAST = UNREAD_BY_FIRST << 1;

  @Test
  void rowsThatAllTheirQueriesReadStayAsTheyAre() {
    int[][] starts = {{0, 100}, {30}};
    int[][] columns = {{70, 200}, {228, 229}};
    assertThat(DeviceIndexRows.of(SHAPE, BlockShape.DEFAULT, starts, columns))
        .isEqualTo(BlockIndex.of(SHAPE, BlockShape.DEFAULT, starts, columns));
  }

  /** Queries 0 to 63, at positions 100 to 163; 64 to 127, up to 227; and 128 and 129. */
  @Test
  void halvesThatReadDifferentEntriesHaveRowsOfTheirOwn() {
    int[][] starts = {{0, 190, 90 | UNREAD_BY_FIRST, 100 | UNREAD_BY_LAST}, {30}};
    int[][] columns = {{70, 170, 85 | UNREAD_BY_LAST, 160 | UNREAD_BY_FIRST}, {229}};
    assertThat(DeviceIndexRows.of(SHAPE, BlockShape.DEFAULT, starts, columns))
        .isEqualTo(
            BlockIndex.of(
                SHAPE,
                new BlockShape(64, 64),
                new int[][] {{0, 100}, {0, 90, 190}, {30}},
                new int[][] {{70, 85}, {70, 160, 170}, {229}}));
  }

  @Test
  void whatNoIndexMayListIsRefused() {
    int[][] starts = {{0, 32 | UNREAD_BY_LAST}, {0}};
    int[][] columns = {{}, {}};
    assertThatThrownBy(() -> DeviceIndexRows.of(SHAPE, BlockShape.DEFAULT, starts, columns))
        .isInstanceOf(InvalidIndexException.class)
        .hasMessageContaining("row 0");
  }
}
