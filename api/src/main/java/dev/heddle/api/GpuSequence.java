package dev.heddle.api;

/**
 * One sequence of a packed batch: which rows of Q and of K and V are its own. Its queries are the
 * last of its keys.
 *
 * @param firstQuery its first row of Q, of the output and of the log-sum-exp
 * @param queryTokens its rows of Q
 * @param firstKey its first row of K and V
 * @param keyTokens its rows of K and V
 */
public record GpuSequence(int firstQuery, int queryTokens, int firstKey, int keyTokens) {
  /**
   * Checks the sizes.
   *
   * @throws InvalidInputException if a row is negative, a size is below 1, or there are more
   *     queries than keys
   */
  public GpuSequence {
    if (firstQuery < 0 || firstKey < 0 || queryTokens < 1 || keyTokens < queryTokens) {
      throw new InvalidInputException(
          "no sequence has %d queries from row %d on and %d keys from row %d on"
              .formatted(queryTokens, firstQuery, keyTokens, firstKey));
    }
  }

  /** A sequence that is the whole batch. */
  public static GpuSequence whole(int queryTokens, int keyTokens) {
    return new GpuSequence(0, queryTokens, 0, keyTokens);
  }
}
