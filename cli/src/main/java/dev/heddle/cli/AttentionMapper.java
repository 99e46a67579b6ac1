package dev.heddle.cli;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.DotProducts;
import dev.heddle.api.HeadMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * Computes the {@link AttentionMap} of a head: {@code softmax(scale · q·k)} of every query, a few
 * queries at a time, so that the whole matrix is never in memory.
 */
final class AttentionMapper {
  /** Queries whose scores each thread holds at a time. */
  private static final int QUERIES = 16;

  private final HeadMatrix queries;
  private final HeadMatrix keys;
  private final float scale;
  private final BlockIndex index;
  private final AttentionMap map;
  private final int[] pixelOfKey;

  private AttentionMapper(
      HeadMatrix queries, HeadMatrix keys, float scale, BlockIndex index, AttentionMap map) {
    this.queries = queries;
    this.keys = keys;
    this.scale = scale;
    this.index = index;
    this.map = map;
    this.pixelOfKey =
        IntStream.range(0, keys.tokens())
            .map(key -> AttentionMap.pixel(key, keys.tokens(), map.size()))
            .toArray();
  }

  /**
   * The map of a head that reads its whole prompt.
   *
   * @param queries Q, {@code [tokens][headDim]}
   * @param keys K, {@code [tokens][headDim]}
   * @param scale factor on every score before the softmax
   * @param index what counts as covered
   * @param size pixels along a side of the map; fewer where there are fewer tokens
   */
  record Task(HeadMatrix queries, HeadMatrix keys, float scale, BlockIndex index, int size) {
    /** Computes it. */
    AttentionMap run(int threads) {
      AttentionMap map = new AttentionMap(Math.min(size, queries.tokens()));
      new AttentionMapper(queries, keys, scale, index, map).run(threads);
      return map;
    }
  }

  /** Sums the rows in order, so that the number of threads does not change the last digit. */
  private void run(int threads) {
    List<Future<Double>> rows = new ArrayList<>();
    try (ExecutorService executor =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("heddle-plot-", 0).factory())) {
      for (int i = 0; i < index.rows(); i++) {
        int row = i;
        rows.add(executor.submit(() -> addRow(row)));
      }
    }
    for (int row = 0; row < rows.size(); row++) {
      map.addKept(result(rows.get(row)), index.queriesInRow(row));
    }
  }

  private static double result(Future<Double> row) {
    try {
      return row.get();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", interrupted);
    } catch (ExecutionException failure) {
      switch (failure.getCause()) {
        case RuntimeException exception -> throw exception;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException(failure);
      }
    }
  }

  /** Adds a query block to the map; returns the sum of its queries' covered shares. */
  private double addRow(int row) {
    int visible = index.visibleKeys(row);
    boolean[] read = keysOf(row, visible);
    float[][] scores = new float[QUERIES][visible];
    double kept = 0;
    int first = row * index.blocks().queryRows();
    int end = first + index.queriesInRow(row);
    for (int query = first; query < end; query += QUERIES) {
      int count = Math.min(QUERIES, end - query);
      new DotProducts(queries, query, count, scale).multiply(keys, 0, visible, scores);
      for (int i = 0; i < count; i++) {
        kept += addQuery(query + i, scores[i], read);
      }
    }
    return kept;
  }

  /** Which of the first {@code visible} keys the index lists for {@code row}. */
  private boolean[] keysOf(int row, int visible) {
    boolean[] read = new boolean[visible];
    for (int i = 0; i < index.blockCount(row); i++) {
      int start = index.blockStart(row, i);
      Arrays.fill(read, start, Math.min(visible, start + index.blocks().keyColumns()), true);
    }
    for (int i = 0; i < index.columnCount(row); i++) {
      read[index.column(row, i)] = true;
    }
    return read;
  }

  /** A query whose weights are not numbers leaves no mark and counts as not covered at all. */
  private double addQuery(int query, float[] scores, boolean[] read) {
    int seen = query + index.shape().firstQueryPosition() + 1;
    float largest = Float.NEGATIVE_INFINITY;
    for (int key = 0; key < seen; key++) {
      largest = Math.max(largest, scores[key]);
    }
    double sum = 0;
    double covered = 0;
    for (int key = 0; key < seen; key++) {
      scores[key] = (float) Math.exp((double) scores[key] - largest);
      sum += scores[key];
      covered += read[key] ? scores[key] : 0;
    }
    float[] coveredLine = emptyLine();
    float[] missedLine = emptyLine();
    for (int key = 0; key < seen; key++) {
      float weight = (float) (scores[key] / sum);
      float[] line = read[key] ? coveredLine : missedLine;
      if (weight > line[pixelOfKey[key]]) {
        line[pixelOfKey[key]] = weight;
      }
    }
    map.raise(AttentionMap.pixel(query, queries.tokens(), map.size()), coveredLine, missedLine);
    double share = covered / sum;
    return Double.isFinite(share) ? share : 0;
  }

  private float[] emptyLine() {
    float[] line = new float[map.size()];
    Arrays.fill(line, AttentionMap.NOTHING);
    return line;
  }
}
