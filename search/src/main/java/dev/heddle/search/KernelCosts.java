package dev.heddle.search;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.InvalidInputException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a head costs on one machine: {@code rows · row + blocks · block + columns · column}, and
 * what its pattern takes to build an index. Numbers are rounded, so that little noise reaches the
 * search.
 *
 * @param rowNanos wall time of a row of an index, besides what it lists
 * @param blockNanos wall time of a key block that a row lists
 * @param columnNanos wall time of a column that a row lists
 * @param indexNanosPerToken for each pattern, wall time of its index per token of the prompt, with
 *     the machine's threads busy on other heads
 */
public record KernelCosts(
    double rowNanos,
    double blockNanos,
    double columnNanos,
    SortedMap<String, Double> indexNanosPerToken) {
  public KernelCosts {
    indexNanosPerToken = Collections.unmodifiableSortedMap(new TreeMap<>(indexNanosPerToken));
  }

  /**
   * The costs that an earlier search reckoned with.
   *
   * @param json the heads file that it wrote, or what it printed with {@code --json}
   * @param file where that comes from, for messages
   * @throws InvalidInputException naming the file, the member and what is wrong with it
   */
  public static KernelCosts parse(String json, String file) {
    try {
      return SearchJson.costsOf(json);
    } catch (InvalidInputException wrong) {
      throw new InvalidInputException(
          "%s holds no costs of a search: %s; allowed: a heads file that 'heddle search' wrote, or what it printed with --json"
              .formatted(file, wrong.getMessage()),
          wrong);
    }
  }

  /** Wall time of attention with {@code index}, which {@code pattern} built. */
  double nanos(BlockIndex index, String pattern) {
    return attentionNanos(index)
        + indexNanosPerToken.getOrDefault(pattern, 0.0) * index.shape().queryTokens();
  }

  /** Wall time of dense attention. */
  double denseNanos(AttentionShape shape, BlockShape blocks) {
    return attentionNanos(BlockIndex.dense(shape, blocks));
  }

  private double attentionNanos(BlockIndex index) {
    double nanos = 0;
    for (int row = 0; row < index.rows(); row++) {
      nanos += rowNanos + index.blockCount(row) * blockNanos + index.columnCount(row) * columnNanos;
    }
    return nanos;
  }

  /** {@code value} with two significant digits. */
  static double rounded(double value) {
    if (value <= 0 || !Double.isFinite(value)) {
      return 0;
    }
    double unit = Math.pow(10, Math.floor(Math.log10(value)) - 1);
    return Double.parseDouble("%.3e".formatted(Math.rint(value / unit) * unit));
  }

  /** The members of a JSON object, from which {@link SearchJson#costs} makes this again. */
  Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("rowNanos", rowNanos);
    object.put("blockNanos", blockNanos);
    object.put("columnNanos", columnNanos);
    object.put("indexNanosPerToken", indexNanosPerToken);
    return object;
  }
}
