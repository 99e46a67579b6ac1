package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionMapperTest {
  private static final int DIM = 8;
  private static final BlockShape BLOCKS = new BlockShape(32, 16);

  @ParameterizedTest
  @CsvSource({"1, 768", "5, 3", "63, 64", "65, 64", "113, 1", "200, 7", "257, 50", "300, 768"})
  void eachPixelIsTheLargestOfItsCells(int tokens, int size) {
    HeadMatrix queries = random(tokens, 1);
    HeadMatrix keys = random(tokens, 2);
    for (BlockIndex index : new BlockIndex[] {dense(tokens), sparse(tokens)}) {
      AttentionMap map = new AttentionMapper.Task(queries, keys, 0.7f, index, size).run(2);
      Expected expected = Expected.of(queries, keys, index, map.size());
      assertThat(map.size()).isEqualTo(Math.min(tokens, size));
      for (int row = 0; row < map.size(); row++) {
        for (int column = 0; column < map.size(); column++) {
          String place = "row " + row + ", column " + column;
          assertThat((double) map.covered(row, column))
              .as(place)
              .isCloseTo(expected.covered[row][column], within(1e-5));
          assertThat((double) map.missed(row, column))
              .as(place)
              .isCloseTo(expected.missed[row][column], within(1e-5));
        }
      }
      assertThat(map.recall()).isCloseTo(expected.recall, within(1e-5));
    }
  }

  /** The same with whole matrices of double precision. */
  private static final class Expected {
    final double[][] covered;
    final double[][] missed;
    final double recall;

    Expected(double[][] covered, double[][] missed, double recall) {
      this.covered = covered;
      this.missed = missed;
      this.recall = recall;
    }

    static Expected of(HeadMatrix queries, HeadMatrix keys, BlockIndex index, int size) {
      int tokens = queries.tokens();
      double[][] covered = nothing(size);
      double[][] missed = nothing(size);
      double kept = 0;
      for (int query = 0; query < tokens; query++) {
        double[] weights = new double[query + 1];
        double sum = 0;
        for (int key = 0; key <= query; key++) {
          double score = 0;
          for (int dim = 0; dim < DIM; dim++) {
            score += (double) queries.get(query, dim) * keys.get(key, dim);
          }
          weights[key] = Math.exp(0.7f * score);
          sum += weights[key];
        }
        for (int key = 0; key <= query; key++) {
          double weight = weights[key] / sum;
          boolean attends = index.attends(query, key);
          double[] line = (attends ? covered : missed)[query * size / tokens];
          line[key * size / tokens] = Math.max(line[key * size / tokens], weight);
          kept += attends ? weight : 0;
        }
      }
      return new Expected(covered, missed, kept / tokens);
    }

    private static double[][] nothing(int size) {
      double[][] pixels = new double[size][size];
      Arrays.stream(pixels).forEach(line -> Arrays.fill(line, AttentionMap.NOTHING));
      return pixels;
    }
  }

  @Test
  void aSinglePeakSurvives() {
    int tokens = 1000;
    float[] queries = new float[tokens * DIM];
    float[] keys = new float[tokens * DIM];
    queries[777 * DIM] = 40;
    keys[123 * DIM] = 1;
    AttentionMap map =
        new AttentionMapper.Task(matrix(queries), matrix(keys), 1, sparse(tokens), 10).run(2);
    assertThat(sparse(tokens).attends(777, 123)).isFalse();
    assertThat(map.missed(7, 1)).isCloseTo(1, within(1e-6f));
    assertThat(map.largestMissed()).isCloseTo(1, within(1e-6));
    // every other query spreads evenly, so that nothing of theirs is as large there
    assertThat(map.missed(7, 2)).isLessThan(0.01f);
    assertThat(map.missed(8, 1)).isLessThan(0.01f);
  }

  @Test
  void theNumberOfThreadsChangesNothing() {
    HeadMatrix queries = random(300, 3);
    HeadMatrix keys = random(300, 4);
    AttentionMapper.Task task = new AttentionMapper.Task(queries, keys, 1, sparse(300), 20);
    AttentionMap one = task.run(1);
    AttentionMap four = task.run(4);
    assertThat(four.recall()).isEqualTo(one.recall());
    for (int row = 0; row < one.size(); row++) {
      for (int column = 0; column < one.size(); column++) {
        assertThat(four.covered(row, column)).isEqualTo(one.covered(row, column));
        assertThat(four.missed(row, column)).isEqualTo(one.missed(row, column));
      }
    }
  }

  @Test
  void whatIsNoNumberLeavesNoMarkAndCountsAsMissed() {
    float[] queries = new float[4 * DIM];
    queries[2 * DIM] = Float.NaN;
    AttentionMap map =
        new AttentionMapper.Task(matrix(queries), matrix(new float[4 * DIM]), 1, dense(4), 4)
            .run(1);
    assertThat(map.covered(2, 0)).isEqualTo(AttentionMap.NOTHING);
    assertThat(map.covered(3, 0)).isEqualTo(0.25f);
    assertThat(map.recall()).isEqualTo(0.75);
  }

  private static BlockIndex dense(int tokens) {
    return BlockIndex.dense(shape(tokens), BLOCKS);
  }

  /** The block on the diagonal, the first key, and each thirtieth. */
  private static BlockIndex sparse(int tokens) {
    BlockIndexBuilder builder = BlockIndex.builder(shape(tokens), BLOCKS);
    for (int row = 0; row < BLOCKS.queryBlocks(tokens); row++) {
      long end = builder.visibleKeys();
      long start = Math.max(0, end - BLOCKS.queryRows());
      for (long key = 0; key < start; key += 30) {
        builder.addRange(key, key + 1);
      }
      builder.addRange(start, end);
      builder.endRow();
    }
    return builder.build();
  }

  private static AttentionShape shape(int tokens) {
    return new AttentionShape(1, 1, tokens, tokens, DIM);
  }

  private static HeadMatrix random(int tokens, long seed) {
    Random random = new Random(seed);
    float[] numbers = new float[tokens * DIM];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return matrix(numbers);
  }

  private static HeadMatrix matrix(float[] numbers) {
    return HeadMatrix.contiguous(
        MemorySegment.ofArray(numbers), ElementType.FLOAT32, numbers.length / DIM, DIM);
  }
}
