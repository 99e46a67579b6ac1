package dev.heddle.pattern.verticalslash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.pattern.ashape.AShapePattern;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.RequiredCells;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VerticalSlashIndexBuilderTest {
  private static final long SEED = 5;

  @ParameterizedTest
  @CsvSource({
    "63,63,16,8",
    "65,65,128,64",
    "113,241,16,32",
    "113,241,5,7",
    "127,1023,128,64",
    "300,300,1,1",
    "1,700,128,64"
  })
  void listsTheParallelogramsOfTheKeptOffsetsAndTheKeptColumns(
      int queryTokens, int keyTokens, int queryRows, int keyColumns) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 8);
    BlockShape blocks = new BlockShape(queryRows, keyColumns);
    for (int seed = 0; seed < 8; seed++) {
      Random random = new Random(seed);
      BitSet columns = randomRuns(keyTokens, random);
      BitSet offsets = randomRuns(keyTokens, random);
      offsets.set(0);
      BlockIndex index =
          VerticalSlashIndexBuilder.list(
              shape, blocks, columns.stream().toArray(), offsets.stream().toArray());
      RequiredCells.Requirement requirement =
          (position, key) -> columns.get(key) || offsets.get(position - key);
      String description = "%s, %s, seed %d".formatted(shape, blocks, seed);
      RequiredCells.assertCovers(index, requirement, description);
      RequiredCells.assertAddsOnlyRounding(index, requirement, description);
    }
  }

  /** Where blocks of one key round nothing, offsets as far apart as a query block touch exactly. */
  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5, 6})
  void offsetsThatJustTouchOrJustDoNotAddNothing(int distance) {
    AttentionShape shape = new AttentionShape(1, 1, 23, 40, 8);
    BlockShape blocks = new BlockShape(4, 1);
    BlockIndex index =
        VerticalSlashIndexBuilder.list(
            shape, blocks, new int[0], new int[] {0, distance, 2 * distance});
    RequiredCells.Requirement requirement =
        (position, key) -> (position - key) % distance == 0 && position - key <= 2 * distance;
    RequiredCells.assertCovers(index, requirement, distance);
    RequiredCells.assertAddsOnlyRounding(index, requirement, distance);
  }

  /** Query tokens, key tokens, probes, verticals, slashes. */
  @ParameterizedTest
  @CsvSource({
    "64,64,64,4,9",
    "113,241,64,10,20",
    "127,1023,32,40,100",
    "600,600,64,3,200",
    "1,300,64,9,9",
    "3,300,64,20,0",
    "600,600,64,0,40"
  })
  void keepsTheColumnsAndOffsetsThatDrawTheMostAttention(
      int queryTokens, int keyTokens, int probes, int verticals, int slashes) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 16);
    HeadInputs head =
        new TestTensors(SEED)
            .rotaryLayer(shape, ElementType.FLOAT32, Layout.CONTIGUOUS)
            .head(0, new BlockShape(8, 4));
    VerticalSlashIndexBuilder pattern =
        new VerticalSlashIndexBuilder(verticals, slashes, probes, 2, 3);
    BlockIndex index = pattern.build(head);
    NaiveProbeAttention sums = new NaiveProbeAttention(head, Math.min(probes, queryTokens));
    Kept columns = new Kept(sums.byColumn, Math.max(verticals, 2), 2, sums.tolerance);
    Kept offsets = new Kept(sums.byOffset, Math.max(slashes, 3), 3, sums.tolerance);
    String description = pattern + ", " + shape + ", seed " + SEED;

    RequiredCells.assertCovers(
        index,
        (position, key) -> columns.surely.get(key) || offsets.surely.get(position - key),
        description);
    RequiredCells.assertAddsOnlyRounding(
        index,
        (position, key) -> columns.maybe.get(key) || offsets.maybe.get(position - key),
        description);
  }

  /** What is kept for sure, and what may be kept where float32 cannot tell sums apart. */
  private static final class Kept {
    final BitSet surely = new BitSet();
    final BitSet maybe = new BitSet();

    Kept(double[] sums, int count, int forced, double tolerance) {
      double[] ranked = sums.clone();
      Arrays.fill(ranked, 0, forced, Double.POSITIVE_INFINITY);
      double[] sorted = ranked.clone();
      Arrays.sort(sorted);
      double least = sorted[sorted.length - count];
      for (int i = 0; i < sums.length; i++) {
        surely.set(i, i < forced || ranked[i] > least * (1 + 2 * tolerance));
        maybe.set(i, ranked[i] >= least * (1 - 2 * tolerance));
      }
      assertThat(surely.cardinality()).isBetween(count - 3, count); // else this would test little
      assertThat(maybe.cardinality()).isBetween(count, count + 3);
    }
  }

  /** With equal scores everywhere, the sums of all columns that all probes see are equal. */
  @Test
  void tiesGoToTheLowerColumnAndOffset() {
    AttentionShape shape = new AttentionShape(1, 1, 200, 200, 8);
    HeadInputs head = zeros(shape).head(0, BlockShape.DEFAULT);
    BlockIndex index = new VerticalSlashIndexBuilder(7, 9, 4, 0, 1).build(head);
    RequiredCells.Requirement requirement = (position, key) -> key < 7 || position - key < 9;
    RequiredCells.assertCovers(index, requirement, "all scores 0");
    RequiredCells.assertAddsOnlyRounding(index, requirement, "all scores 0");
  }

  /** Nothing is left to choose, and A-shape is what is forced. */
  @ParameterizedTest
  @CsvSource({"200,200,0,1", "200,200,30,50", "113,241,64,65", "127,1023,100,1", "9,200,5,600"})
  void equalsAShapeWhenEverythingIsForced(int queryTokens, int keyTokens, int sink, int local) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 8);
    HeadInputs head =
        new TestTensors(SEED)
            .gaussianLayer(shape, ElementType.BFLOAT16, Layout.STRIDED)
            .head(0, new BlockShape(16, 8));
    SparsePattern aShape = new AShapePattern();
    BlockIndex expected =
        aShape.index(head, Options.of(aShape.options(), Map.of("sink", sink, "local", local)));
    assertThat(new VerticalSlashIndexBuilder(sink, local, 64, sink, local).build(head))
        .isEqualTo(expected);
    assertThat(new VerticalSlashIndexBuilder(0, 0, 64, sink, local).build(head))
        .isEqualTo(expected);
  }

  @Test
  void aColumnOfNaNIsChosenLastAndSpoilsNoOther() {
    AttentionShape shape = new AttentionShape(1, 1, 200, 200, 8);
    TestLayer layer = zeros(shape);
    float[] row = new float[8];
    Arrays.fill(row, Float.NaN);
    TestTensors.storeRow(layer.keys(), 0, 3, row);
    BlockIndex index =
        new VerticalSlashIndexBuilder(7, 1, 4, 0, 1).build(layer.head(0, BlockShape.DEFAULT));
    assertThat(IntStream.range(0, 20).filter(key -> index.attends(150, key)).toArray())
        .containsExactly(0, 1, 2, 4, 5, 6, 7);
  }

  private static TestLayer zeros(AttentionShape shape) {
    HeadTensor zeros =
        Layout.CONTIGUOUS.allocate(ElementType.FLOAT32, 1, shape.keyTokens(), shape.headDim());
    HeadTensor keys =
        Layout.CONTIGUOUS.allocate(ElementType.FLOAT32, 1, shape.keyTokens(), shape.headDim());
    return new TestLayer(shape, zeros, keys, zeros);
  }

  private static BitSet randomRuns(int end, Random random) {
    BitSet set = new BitSet();
    for (int first = random.nextInt(end); first < end; ) {
      int last = Math.min(end, first + 1 + random.nextInt(1 + end / 10));
      set.set(first, last);
      first = last + random.nextInt(1 + end / 5);
    }
    return set;
  }
}
