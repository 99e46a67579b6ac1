package dev.heddle.pattern.verticalslash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuCost;
import dev.heddle.api.Options;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerticalSlashCostTest {
  /** Indices whose offsets lie as the estimate takes them to lie. */
  @ParameterizedTest
  @CsvSource({
    "8192, 8192, 0, 6096",
    "8192, 8192, 0, 800",
    "16384, 16384, 0, 6096",
    "16384, 16384, 0, 800",
    "2048, 16384, 0, 6096",
    "4096, 4096, 0, 100",
  })
  void theEstimateIsNearTheCellsOfSuchIndices(
      int queryTokens, int keyTokens, int verticals, int slashes) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 64);
    Options options = options(verticals, slashes);
    Random random = new Random(11);
    long cells = 0;
    int runs = 64;
    for (int i = 0; i < runs; i++) {
      cells +=
          VerticalSlashIndexBuilder.list(
                  shape, BlockShape.DEFAULT, new int[0], offsets(slashes, keyTokens, random))
              .cells();
    }
    double expected = 1.05 * cells / runs;
    assertThat(cost(shape, options).attentionCells()).isCloseTo(expected, within(0.1 * expected));
  }

  private static int[] offsets(int slashes, int keyTokens, Random random) {
    TreeSet<Integer> offsets = new TreeSet<>();
    int local = Math.max(100, slashes / 2);
    IntStream.range(0, local).forEach(offsets::add);
    for (int left = slashes - local; left > 0; left -= VerticalSlashSizes.USUAL_RUN) {
      int run = Math.min(left, VerticalSlashSizes.USUAL_RUN);
      int first = random.nextInt(local, keyTokens - run);
      IntStream.range(first, first + run).forEach(offsets::add);
    }
    return offsets.stream().mapToInt(Integer::intValue).toArray();
  }

  @Test
  void budgetsThatCoverNearlyEverythingTakeLongerThanDense() {
    assertThat(overDense(8192, 1000, 6096)).isGreaterThan(1);
    assertThat(overDense(16384, 1000, 6096)).isBetween(0.7, 0.8);
    assertThat(overDense(8192, 30, 800)).isBetween(0.2, 0.4);
    assertThat(overDense(131072, 1000, 6096)).isLessThan(0.2);
  }

  /** Columns take longer than blocks, and those that slashes read anyway take nothing. */
  @Test
  void columnsCountWhereSlashesDoNotReadThem() {
    AttentionShape shape = new AttentionShape(1, 1, 8192, 8192, 64);
    double without = cost(shape, options(0, 100)).attentionCells();
    double with = cost(shape, options(1000, 100)).attentionCells();
    double columns = 1000 / 8192.0 * shape.causalCells();
    assertThat(with - without).isBetween(1.2 * columns, 1.4 * columns);
    double half = cost(shape, options(0, 6096)).attentionCells();
    double also = cost(shape, options(1000, 6096)).attentionCells();
    assertThat(also - half).isBetween(0.01 * columns, 0.1 * columns);
  }

  private static double overDense(int tokens, int verticals, int slashes) {
    AttentionShape shape = new AttentionShape(32, 8, tokens, tokens, 128);
    GpuCost cost = cost(shape, options(verticals, slashes));
    return (cost.attentionCells() + cost.indexCells()) / shape.causalCells();
  }

  private static GpuCost cost(AttentionShape shape, Options options) {
    return new VerticalSlashKernels().cost(shape, BlockShape.DEFAULT, options).orElseThrow();
  }

  private static Options options(int verticals, int slashes) {
    return Options.defaults(new VerticalSlashPattern().options())
        .with(VerticalSlashPattern.VERTICALS, verticals)
        .with(VerticalSlashPattern.SLASHES, slashes)
        .with(VerticalSlashPattern.SINK, 0);
  }
}
