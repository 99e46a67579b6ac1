package dev.heddle.api;

/**
 * The sizes of one layer's causal attention over one sequence.
 *
 * @param queryHeads heads of Q and of the output
 * @param keyValueHeads heads of K and V; divides {@code queryHeads}, each shared by a group of
 *     neighbouring query heads
 * @param queryTokens rows of Q; at most {@code keyTokens}, and always the last ones of the sequence
 * @param keyTokens rows of K and V: the whole sequence so far
 * @param headDim numbers per row of a head
 */
public record AttentionShape(
    int queryHeads, int keyValueHeads, int queryTokens, int keyTokens, int headDim) {
  /**
   * Checks the sizes.
   *
   * @throws InvalidInputException if a size is below 1, the key/value heads do not divide the query
   *     heads, or there are more query tokens than key tokens
   */
  public AttentionShape {
    requirePositive("queryHeads", queryHeads);
    requirePositive("keyValueHeads", keyValueHeads);
    requirePositive("queryTokens", queryTokens);
    requirePositive("keyTokens", keyTokens);
    requirePositive("headDim", headDim);
    if (queryHeads % keyValueHeads != 0) {
      throw new InvalidInputException(
          "queryHeads ("
              + queryHeads
              + ") must be a multiple of keyValueHeads ("
              + keyValueHeads
              + ")");
    }
    if (queryTokens > keyTokens) {
      throw new InvalidInputException(
          "queryTokens ("
              + queryTokens
              + ") must be at most keyTokens ("
              + keyTokens
              + "): queries are the last tokens");
    }
  }

  /** Query heads that share one key/value head. */
  public int groupSize() {
    return queryHeads / keyValueHeads;
  }

  /** The key/value head that query head {@code queryHead} reads. */
  public int keyValueHead(int queryHead) {
    return queryHead / groupSize();
  }

  /**
   * Position of the first query in the sequence: the number of keys that stand before every query.
   */
  public int firstQueryPosition() {
    return keyTokens - queryTokens;
  }

  /** Cells (query, key) of one head on or below the diagonal: what dense attention computes. */
  public long causalCells() {
    long first = firstQueryPosition() + 1L;
    long last = keyTokens;
    return (first + last) * queryTokens / 2;
  }

  /**
   * Of these, the cells whose key stands fewer than {@code offsets} positions before its query.
   *
   * @param offsets from 0; with {@link #keyTokens} or more these are all
   */
  public long bandCells(long offsets) {
    long kept = Math.clamp(offsets, 0, keyTokens);
    // All queries see that far back up to here; beyond, one query fewer at each offset.
    long whole = Math.min(kept, firstQueryPosition() + 1L);
    long partly = kept - whole;
    return whole * queryTokens + partly * (2L * queryTokens - partly - 1) / 2;
  }

  private static void requirePositive(String name, int value) {
    if (value < 1) {
      throw new InvalidInputException(name + " must be at least 1, but is " + value);
    }
  }
}
