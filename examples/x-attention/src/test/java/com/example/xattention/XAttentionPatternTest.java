package com.example.xattention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.PatternContract;
import dev.heddle.testkit.TestTensors;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What every pattern must do, and what this one promises. */
class XAttentionPatternTest extends PatternContract {
  @Override
  protected SparsePattern pattern() {
    return new XAttentionPattern();
  }

  @Override
  protected List<Options> optionsToTry() {
    return List.of(
        options(16, 0.9, 1), options(8, 0.5, 0), options(32, 0.99, 3), options(31, 0, 0));
  }

  @Override
  protected List<Options> optionsThatKeepAll(int keyTokens) {
    return List.of(options(16, 1, 0), options(16, 0, Integer.MAX_VALUE));
  }

  /** One {@code stride}-th of all scores are worked out. */
  @Override
  protected boolean indexCostIsQuadratic() {
    return true;
  }

  /** Against scores worked out pair by pair in float64. */
  @ParameterizedTest
  @CsvSource({
    "300, 300, 16, 0.9, 1",
    "300, 300, 8, 0.7, 0",
    "130, 701, 32, 0.95, 2",
    "1, 413, 16, 0.6, 1",
    "127, 1023, 16, 0.8, 0"
  })
  void keepsTheFewestBlocksThatHaveTheShare(
      int queryTokens, int keyTokens, int stride, double threshold, int sinkBlocks) {
    AttentionShape shape = new AttentionShape(1, 1, queryTokens, keyTokens, 24);
    HeadInputs head = head(shape, 7);
    Options options = options(stride, threshold, sinkBlocks);
    BlockIndex index = pattern().index(head, options);
    for (int row = 0; row < index.rows(); row++) {
      double[] masses = masses(head, row, stride);
      TreeSet<Integer> kept = keptBlocks(index, row);
      int first = shape.firstQueryPosition() + 128 * row;
      double total = Math.ceilDiv(index.queriesInRow(row), stride);
      double mass = kept.stream().mapToDouble(block -> masses[block]).sum();
      String where = "row %d of %s, options [%s]".formatted(row, shape, options);
      assertTrue(mass >= threshold * total - 1e-4, where);
      double leastKept = Double.POSITIVE_INFINITY;
      double greatestLeft = 0;
      for (int block = 0; block < masses.length; block++) {
        boolean forced = block < sinkBlocks || block >= first / 64;
        assertTrue(!forced || kept.contains(block), where);
        if (!kept.contains(block)) {
          greatestLeft = Math.max(greatestLeft, masses[block]);
        } else if (!forced) {
          leastKept = Math.min(leastKept, masses[block]);
        }
      }
      assertTrue(greatestLeft <= leastKept + 1e-6, where);
      assertTrue(leastKept > 1e9 || mass - leastKept < threshold * total + 1e-4, where);
    }
  }

  /** Equal scores everywhere: every block has the same mass, and the lower ones are taken. */
  @Test
  void tiesGoToTheLowerBlocks() {
    AttentionShape shape = new AttentionShape(1, 1, 128, 1024, 8);
    HeadInputs zeros = head(shape, 0);
    BlockIndex index = pattern().index(zeros, options(16, 0.5, 0));
    // Of 64 strided keys, four to a block, row I of 8 sees 57 + I, of which 1 + I are in the blocks
    // 14 and 15 on the diagonal. These have a mass of 0.59, each other block has 0.53; 4 are
    // needed.
    assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 14, 15), List.copyOf(keptBlocks(index, 0)));
  }

  private static HeadInputs head(AttentionShape shape, long seed) {
    TestTensors tensors = new TestTensors(seed);
    return seed == 0
        ? zeros(shape)
        : tensors
            .rotaryLayer(shape, ElementType.FLOAT32, Layout.CONTIGUOUS)
            .head(0, BlockShape.DEFAULT);
  }

  private static HeadInputs zeros(AttentionShape shape) {
    HeadInputs head = head(shape, 1);
    MemorySegment memory = MemorySegment.ofArray(new float[shape.keyTokens() * shape.headDim()]);
    HeadMatrix queries =
        HeadMatrix.contiguous(memory, ElementType.FLOAT32, shape.queryTokens(), shape.headDim());
    HeadMatrix keys =
        HeadMatrix.contiguous(memory, ElementType.FLOAT32, shape.keyTokens(), shape.headDim());
    return new HeadInputs(shape, head.blocks(), 0, 0, queries, keys, keys, head.softmaxScale());
  }

  private static TreeSet<Integer> keptBlocks(BlockIndex index, int row) {
    TreeSet<Integer> blocks = new TreeSet<>();
    for (int i = 0; i < index.blockCount(row); i++) {
      blocks.add(index.blockStart(row, i) / 64);
    }
    for (int i = 0; i < index.columnCount(row); i++) {
      blocks.add(index.column(row, i) / 64);
    }
    return blocks;
  }

  /** Mass of each key block that the row's last query sees. */
  private static double[] masses(HeadInputs head, int row, int stride) {
    AttentionShape shape = head.shape();
    int firstQuery = 128 * row;
    int endQuery = Math.min(firstQuery + 128, shape.queryTokens());
    double[] masses = new double[Math.ceilDiv(shape.firstQueryPosition() + endQuery, 64)];
    for (int query = firstQuery; query < endQuery; query += stride) {
      int seen = (shape.firstQueryPosition() + query) / stride + 1;
      double[] weights = new double[seen];
      double sum = 0;
      for (int key = 0; key < seen; key++) {
        weights[key] = Math.exp(antidiagonal(head, query, key * stride, stride));
        sum += weights[key];
      }
      for (int key = 0; key < seen; key++) {
        masses[key * stride / 64] += weights[key] / sum;
      }
    }
    return masses;
  }

  private static double antidiagonal(HeadInputs head, int firstQuery, int firstKey, int stride) {
    double sum = 0;
    for (int t = 0; t < stride; t++) {
      int query = firstQuery + stride - 1 - t;
      int key = firstKey + t;
      if (query < head.queries().tokens() && key < head.keys().tokens()) {
        for (int dim = 0; dim < head.shape().headDim(); dim++) {
          sum += (double) head.queries().get(query, dim) * head.keys().get(key, dim);
        }
      }
    }
    return sum * head.softmaxScale() / stride;
  }

  private static Options options(int stride, double threshold, int sinkBlocks) {
    return Options.of(
        new XAttentionPattern().options(),
        Map.of("stride", stride, "threshold", threshold, "sink-blocks", sinkBlocks));
  }
}
