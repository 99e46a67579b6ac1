package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.PatternRegistry;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The numbers that benchmarks run on have the structure that they are said to have. */
class StructuredLayerTest {
  private static final int TOKENS = 4096;
  private static final int HEAD_DIM = 128;
  private static final long SEED = 3;
  private static final AttentionShape SHAPE = new AttentionShape(2, 1, TOKENS, TOKENS, HEAD_DIM);
  private static final StructuredHead HEAD = new StructuredHead(SEED, 0, HEAD_DIM);
  private static final StructuredLayer LAYER =
      StructuredLayer.make(SHAPE, ElementType.FLOAT32, SEED, Arena.ofAuto());

  /**
   * Standard deviation of one score beside its expectation, at most: noise on K times |q|, on Q
   * times |k|, and noise times noise. |q|² is at most √d (10 (1 + 0.7)² + 7.5), |k|² at most √d (10
   * + 7.5), and scores are divided by √d.
   */
  private static final double SCORE_DEVIATION =
      Math.sqrt(
          StructuredLayer.NOISE * StructuredLayer.NOISE * (36.4 + 17.5) / Math.sqrt(HEAD_DIM)
              + Math.pow(StructuredLayer.NOISE, 4));

  @Test
  void aRowDependsOnSeedHeadAndTokenAlone() {
    AttentionShape tail = new AttentionShape(2, 1, 100, TOKENS, HEAD_DIM);
    StructuredLayer again = StructuredLayer.make(tail, ElementType.FLOAT32, SEED, Arena.ofAuto());
    StructuredLayer other =
        StructuredLayer.make(tail, ElementType.FLOAT32, SEED + 1, Arena.ofAuto());
    for (int query = 0; query < 100; query++) {
      float[] row = row(again.queries().head(1), query);
      assertThat(row).isEqualTo(row(LAYER.queries().head(1), TOKENS - 100 + query));
      assertThat(row).isNotEqualTo(row(other.queries().head(1), query));
      assertThat(row).isNotEqualTo(row(again.queries().head(0), query));
    }
    assertThat(row(again.values().head(0), 7)).isEqualTo(row(LAYER.values().head(0), 7));
  }

  @Test
  void aScoreIsTheSumOfTheBandsAndWhatIsPlanted() {
    int far = HEAD.farOffset(0, TOKENS);
    assertThat(far).isBetween(TOKENS / 8, TOKENS / 2);
    for (int offset : new int[] {0, 1, 10, 100, far - 1, far, far + 50}) {
      double near = StructuredHead.NEAR_SCORE * core(offset);
      double second = StructuredHead.NEAR_SCORE * StructuredHead.FAR_SHARE * core(offset - far);
      int from = TOKENS / 2;
      double mean =
          IntStream.range(from, TOKENS)
              .filter(query -> !HEAD.isPlanted(query - offset))
              .mapToDouble(query -> score(query, query - offset))
              .average()
              .orElseThrow();
      // Scores of one offset share no row, so that their deviations cancel: five times that of
      // the mean of at least 0.9 · 2048 scores.
      assertThat(mean)
          .as("offset %d", offset)
          .isCloseTo(near + second, within(5 * SCORE_DEVIATION / Math.sqrt(0.9 * (TOKENS - from))));
    }
  }

  @Test
  void plantedKeysGetTheirScoresFromEveryQuery() {
    int planted = 0;
    int far = HEAD.farOffset(0, TOKENS);
    for (int key = 0; key < TOKENS / 2; key++) {
      if (!HEAD.isPlanted(key)) {
        continue;
      }
      planted++;
      int column = key;
      double excess =
          IntStream.range(TOKENS - 1024, TOKENS)
              .mapToDouble(query ->
                  score(query, column)
                      - StructuredHead.NEAR_SCORE
                          * (core(query - column)
                              + StructuredHead.FAR_SHARE * core(query - column - far)))
              .average()
              .orElseThrow();
      // The noise of the key's own row does not cancel over queries: five deviations of it.
      double allowed = 5 * SCORE_DEVIATION;
      double least = HEAD.plantedScore(key) * Math.cos(2 * StructuredHead.SPREAD);
      assertThat(excess)
          .as("key %d", key)
          .isBetween(least - allowed, HEAD.plantedScore(key) + allowed);
    }
    double expected = TOKENS / 2.0 / StructuredHead.PLANTED_DISTANCE;
    assertThat((double) planted)
        .isCloseTo(expected, within(StructuredHead.SINK_TOKENS + 5 * Math.sqrt(expected)));
  }

  @Test
  void verticalSlashFindsThePlantedColumns() {
    Map<String, Integer> columnsOnly = Map.of("verticals", 64, "slashes", 1, "local", 1, "sink", 0);
    BlockIndex index = index(LAYER, 0, columnsOnly);
    double structured = plantedShare(index);
    double random = plantedShare(index(gaussian(), 0, columnsOnly));
    // Among random keys one in 32 is planted, and here at least ten times as many.
    assertThat(structured).isGreaterThan(10.0 / StructuredHead.PLANTED_DISTANCE);
    assertThat(random).isLessThan(5.0 / StructuredHead.PLANTED_DISTANCE);
  }

  @Test
  void theIndexHoldsNearlyTheMassThatAnyChoiceOfAsManyKeysCan() {
    Map<String, Integer> budget = Map.of("verticals", 128, "slashes", 512);
    for (int head = 0; head < 2; head++) {
      BlockIndex index = index(LAYER, head, budget);
      assertThat(recall(LAYER, head, index)).isGreaterThan(0.9);
      assertThat(index.density()).isLessThan(0.7);
    }
    // Without structure the offsets have no clusters: 512 of them touch nearly every block.
    assertThat(index(gaussian(), 0, budget).density()).isGreaterThan(0.95);
  }

  @Test
  void oddHeadDimsAreRefused() {
    AttentionShape shape = new AttentionShape(1, 1, 8, 8, 36);
    assertThatThrownBy(() -> StructuredLayer.bytes(shape, ElementType.FLOAT32))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("head dim is 36; allowed: a multiple of 8");
  }

  /** Mass of the last queries on the keys of the index, over that on as many best keys. */
  private static double recall(StructuredLayer layer, int head, BlockIndex index) {
    int lastRow = index.rows() - 1;
    double kept = 0;
    double best = 0;
    for (int query = TOKENS - 64; query < TOKENS; query++) {
      double[] weights = new double[query + 1];
      for (int key = 0; key <= query; key++) {
        weights[key] = Math.exp(score(layer, head, query, key));
      }
      double all = Arrays.stream(weights).sum();
      boolean[] listed = listed(index, lastRow);
      int count = 0;
      double ofIndex = 0;
      for (int key = 0; key <= query; key++) {
        ofIndex += listed[key] ? weights[key] : 0;
        count += listed[key] ? 1 : 0;
      }
      Arrays.sort(weights);
      kept += ofIndex / all;
      best += Arrays.stream(weights, weights.length - count, weights.length).sum() / all;
    }
    return kept / best;
  }

  private static double plantedShare(BlockIndex index) {
    boolean[] listed = listed(index, index.rows() - 1);
    // The last keys are listed for the diagonal's sake.
    int end = TOKENS - 2 * index.blocks().queryRows();
    long all = IntStream.range(0, end).filter(key -> listed[key]).count();
    long planted =
        IntStream.range(0, end).filter(key -> listed[key] && HEAD.isPlanted(key)).count();
    return (double) planted / all;
  }

  private static boolean[] listed(BlockIndex index, int row) {
    boolean[] listed = new boolean[TOKENS];
    for (int i = 0; i < index.blockCount(row); i++) {
      int start = index.blockStart(row, i);
      Arrays.fill(listed, start, Math.min(TOKENS, start + index.blocks().keyColumns()), true);
    }
    for (int i = 0; i < index.columnCount(row); i++) {
      listed[index.column(row, i)] = true;
    }
    return listed;
  }

  private static BlockIndex index(StructuredLayer layer, int head, Map<String, Integer> budget) {
    SparsePattern pattern = PatternRegistry.discover().get("vertical-slash");
    HeadInputs inputs =
        new HeadInputs(
            SHAPE,
            BlockShape.DEFAULT,
            0,
            head,
            layer.queries().head(head),
            layer.keys().head(0),
            layer.values().head(0),
            (float) (1 / Math.sqrt(HEAD_DIM)));
    return pattern.index(inputs, Options.of(pattern.options(), budget));
  }

  private static StructuredLayer gaussian() {
    Arena arena = Arena.ofAuto();
    Random random = new Random(SEED);
    StructuredLayer layer =
        new StructuredLayer(
            StructuredLayer.allocate(arena, ElementType.FLOAT32, 2, TOKENS, HEAD_DIM),
            StructuredLayer.allocate(arena, ElementType.FLOAT32, 1, TOKENS, HEAD_DIM),
            LAYER.values());
    for (HeadTensor tensor : new HeadTensor[] {layer.queries(), layer.keys()}) {
      for (long i = 0; i < (long) tensor.heads() * TOKENS * HEAD_DIM; i++) {
        ElementType.FLOAT32.store(tensor.memory(), i, (float) random.nextGaussian());
      }
    }
    return layer;
  }

  /** Share of the largest score of a band that is left at a distance from its middle. */
  private static double core(int distance) {
    double sum = 0;
    double all = 0;
    for (int pair = 0; pair < StructuredHead.rotaryPairs(HEAD_DIM); pair++) {
      double real = HEAD.key()[2 * pair];
      double imaginary = HEAD.key()[2 * pair + 1];
      double square = real * real + imaginary * imaginary;
      sum += square * Math.cos(distance * StructuredHead.frequency(pair, HEAD_DIM));
      all += square;
    }
    return sum / all;
  }

  private static double score(int query, int key) {
    return score(LAYER, 0, query, key);
  }

  private static double score(StructuredLayer layer, int head, int query, int key) {
    HeadMatrix q = layer.queries().head(head);
    HeadMatrix k = layer.keys().head(0);
    double sum = 0;
    for (int dim = 0; dim < HEAD_DIM; dim++) {
      sum += q.get(query, dim) * k.get(key, dim);
    }
    return sum / Math.sqrt(HEAD_DIM);
  }

  private static float[] row(HeadMatrix matrix, int token) {
    float[] row = new float[HEAD_DIM];
    for (int dim = 0; dim < HEAD_DIM; dim++) {
      row[dim] = matrix.get(token, dim);
    }
    return row;
  }
}
