package dev.heddle.pattern.verticalslash;

import dev.heddle.api.DotProducts;
import dev.heddle.api.HeadInputs;

/** What the last queries of a prompt attend to: their softmax rows, summed. */
final class ProbeAttention {
  /**
   * Scores held at a time: 64 MiB. The probes are taken in groups of as many rows as fit, so that
   * memory stays bounded at any prompt length; up to 256 Ki keys, 64 probes are one group.
   */
  private static final int SCORES_PER_GROUP = 1 << 24;

  private final float[] byColumn;
  private final float[] byOffset;

  private ProbeAttention(float[] byColumn, float[] byOffset) {
    this.byColumn = byColumn;
    this.byOffset = byOffset;
  }

  /** For each key, the attention that the probes pay it. The array is the caller's to change. */
  float[] byColumn() {
    return byColumn;
  }

  /**
   * For each offset (position of the query - key), the attention that the probes pay there. The
   * array is the caller's to change.
   */
  float[] byOffset() {
    return byOffset;
  }

  /** Sums the attention of the last {@code probes} queries. */
  static ProbeAttention of(HeadInputs head, int probes) {
    int group = Math.clamp(SCORES_PER_GROUP / head.shape().keyTokens(), 1, probes);
    return of(head, probes, group);
  }

  /** The same, with {@code group} probes at a time. */
  static ProbeAttention of(HeadInputs head, int probes, int group) {
    int keyTokens = head.shape().keyTokens();
    float[] byColumn = new float[keyTokens];
    float[] byDiagonal = new float[keyTokens];
    float[][] scores = new float[group][keyTokens];
    for (int left = probes; left > 0; left -= group) {
      // The probes that stand `left` to `left - rows + 1` places from the end of the sequence.
      int rows = Math.min(group, left);
      int firstQuery = head.shape().queryTokens() - left;
      new DotProducts(head.queries(), firstQuery, rows, head.softmaxScale())
          .multiply(head.keys(), 0, keyTokens, scores);
      for (int row = 0; row < rows; row++) {
        int behind = left - 1 - row;
        int visible = keyTokens - behind;
        Softmax.weigh(scores[row], visible);
        add(scores[row], visible, byColumn, 0);
        // The key at offset o before a query that is `behind` places from the end of the sequence
        // is
        // key keyTokens - 1 - behind - o: place key + behind is the same for all keys at one
        // offset.
        add(scores[row], visible, byDiagonal, behind);
      }
    }
    reverse(byDiagonal);
    return new ProbeAttention(byColumn, byDiagonal);
  }

  private static void add(float[] row, int count, float[] sums, int first) {
    for (int key = 0; key < count; key++) {
      sums[first + key] += row[key];
    }
  }

  private static void reverse(float[] numbers) {
    for (int low = 0, high = numbers.length - 1; low < high; low++, high--) {
      float number = numbers[low];
      numbers[low] = numbers[high];
      numbers[high] = number;
    }
  }
}
