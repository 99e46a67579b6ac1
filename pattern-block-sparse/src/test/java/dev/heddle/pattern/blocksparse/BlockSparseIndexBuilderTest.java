package dev.heddle.pattern.blocksparse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadMatrix;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.util.Arrays;
import java.util.BitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BlockSparseIndexBuilderTest {
  private static final long SEED = 11;

  /** Query tokens, key tokens, query rows, key columns, blocks, sink blocks. */
  @ParameterizedTest
  @CsvSource({
    "1,1,4,4,1,0",
    "65,65,16,8,3,1",
    "64,64,64,64,1,0",
    "113,241,16,32,4,1",
    "113,241,5,7,6,0",
    "127,1023,128,64,9,2",
    "1023,1023,128,64,5,1",
    "300,300,16,48,3,1",
    "300,333,7,1,40,3",
    "1023,1023,8,8,20,0"
  })
  void keepsTheBlocksWithTheGreatestMeanScores(
      int queryTokens, int keyTokens, int queryRows, int keyColumns, int kept, int sinks) {
    AttentionShape shape = new AttentionShape(2, 1, queryTokens, keyTokens, 16);
    BlockShape blocks = new BlockShape(queryRows, keyColumns);
    TestLayer layer =
        new TestTensors(SEED).gaussianLayer(shape, ElementType.FLOAT32, Layout.INTERLEAVED);
    for (int head = 0; head < 2; head++) {
      HeadInputs inputs = layer.head(head, blocks);
      BlockIndex index = new BlockSparseIndexBuilder(kept, sinks).build(inputs);
      if (index.isDense()) {
        assertThat(Math.max(kept, sinks)).isGreaterThanOrEqualTo(blocks.keyBlocks(keyTokens));
        continue;
      }
      for (int row = 0; row < index.rows(); row++) {
        assertRow(inputs, index, row, new int[] {kept, sinks});
      }
    }
  }

  /**
   * A row lists whole visible key blocks and nothing else; which ones, a comparison of scores in
   * float64 says, except for scores that float32 cannot tell from the least one kept.
   */
  private static void assertRow(HeadInputs head, BlockIndex index, int row, int[] budget) {
    String description = "row %d of %s, %s, seed %d".formatted(row, head.shape(), index, SEED);
    int keyColumns = index.blocks().keyColumns();
    int firstQuery = row * index.blocks().queryRows();
    int queries = index.queriesInRow(row);
    int visibleBlocks = Math.ceilDiv(index.visibleKeys(row), keyColumns);
    int firstDiagonal = (head.shape().firstQueryPosition() + firstQuery) / keyColumns;
    double[] meanQuery = mean(head.queries(), firstQuery, queries);
    double[] scores = new double[visibleBlocks];
    BitSet forced = new BitSet();
    for (int block = 0; block < visibleBlocks; block++) {
      if (block < budget[1] || block >= firstDiagonal) {
        forced.set(block);
        scores[block] = Double.POSITIVE_INFINITY;
      } else {
        int first = block * keyColumns;
        int count = Math.min(keyColumns, head.keys().tokens() - first);
        scores[block] = dot(meanQuery, mean(head.keys(), first, count));
      }
    }
    int count = Math.min(visibleBlocks, Math.max(budget[0], forced.cardinality()));
    double[] sorted = scores.clone();
    Arrays.sort(sorted);
    double least = sorted[visibleBlocks - count];
    // Means of at most 128 and products of 16 standard normal numbers, each rounded to 2^-24.
    double tolerance = (128 + 128 + 16) * 0x1p-24 * 16;
    BitSet listed = listedBlocks(index, row, visibleBlocks, description);
    assertThat(listed.cardinality()).as("blocks in %s", description).isEqualTo(count);
    for (int block = 0; block < visibleBlocks; block++) {
      if (forced.get(block) || scores[block] > least + tolerance) {
        assertThat(listed.get(block)).as("block %d in %s", block, description).isTrue();
      } else if (scores[block] < least - tolerance) {
        assertThat(listed.get(block)).as("block %d in %s", block, description).isFalse();
      }
    }
  }

  private static BitSet listedBlocks(
      BlockIndex index, int row, int visibleBlocks, String description) {
    int keyColumns = index.blocks().keyColumns();
    int lastQuery = row * index.blocks().queryRows() + index.queriesInRow(row) - 1;
    BitSet listed = new BitSet();
    for (int block = 0; block < visibleBlocks; block++) {
      int first = block * keyColumns;
      int end = Math.min(first + keyColumns, index.visibleKeys(row));
      listed.set(block, index.attends(lastQuery, first));
      for (int key = first; key < end; key++) {
        assertThat(index.attends(lastQuery, key))
            .as("key %d of block %d in %s", key, block, description)
            .isEqualTo(listed.get(block));
      }
    }
    return listed;
  }

  @Test
  void tiesGoToTheLowerBlock() {
    AttentionShape shape = new AttentionShape(1, 1, 64, 64, 8);
    HeadInputs zeros = zeros(shape, new BlockShape(8, 8));
    BlockIndex index = new BlockSparseIndexBuilder(3, 0).build(zeros);
    for (int key = 0; key < 64; key++) {
      assertThat(index.attends(63, key)).as("key %d", key).isEqualTo(key < 16 || key >= 56);
    }
  }

  @Test
  void forcedBlocksWinOverInfiniteScores() {
    AttentionShape shape = new AttentionShape(1, 1, 64, 64, 8);
    TestLayer layer =
        new TestTensors(SEED).gaussianLayer(shape, ElementType.FLOAT32, Layout.CONTIGUOUS);
    for (int token = 0; token < 64; token++) {
      float[] row = new float[8];
      Arrays.fill(row, token < 40 ? Float.POSITIVE_INFINITY : 1);
      TestTensors.storeRow(layer.keys(), 0, token, row);
      Arrays.fill(row, 1);
      TestTensors.storeRow(layer.queries(), 0, token, row);
    }
    BlockIndex index = new BlockSparseIndexBuilder(1, 0).build(layer.head(0, new BlockShape(8, 8)));
    assertThat(index.attends(63, 63)).isTrue();
    assertThat(index.attends(63, 0)).isFalse();
  }

  /** Two sinks and, under 16 query rows, two diagonal blocks: four blocks though one was asked. */
  @Test
  void forcedBlocksWinOverTheBudget() {
    AttentionShape shape = new AttentionShape(1, 1, 64, 64, 8);
    HeadInputs zeros = zeros(shape, new BlockShape(16, 8));
    BlockIndex index = new BlockSparseIndexBuilder(1, 2).build(zeros);
    assertThat(index.blockCount(0)).isEqualTo(2);
    assertThat(index.blockCount(1)).isEqualTo(4);
    assertThat(index.blockCount(3)).isEqualTo(4);
  }

  private static HeadInputs zeros(AttentionShape shape, BlockShape blocks) {
    return new TestLayer(
            shape,
            Layout.CONTIGUOUS.allocate(ElementType.FLOAT32, 1, 64, 8),
            Layout.CONTIGUOUS.allocate(ElementType.FLOAT32, 1, 64, 8),
            Layout.CONTIGUOUS.allocate(ElementType.FLOAT32, 1, 64, 8))
        .head(0, blocks);
  }

  private static double[] mean(HeadMatrix matrix, int first, int count) {
    double[] mean = new double[matrix.headDim()];
    for (int token = first; token < first + count; token++) {
      for (int dim = 0; dim < mean.length; dim++) {
        mean[dim] += (double) matrix.get(token, dim) / count;
      }
    }
    return mean;
  }

  private static double dot(double[] left, double[] right) {
    double sum = 0;
    for (int dim = 0; dim < left.length; dim++) {
      sum += left[dim] * right[dim];
    }
    return sum;
  }
}
