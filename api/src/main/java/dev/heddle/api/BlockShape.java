package dev.heddle.api;

/**
 * The tile of the score matrix that an index is built in, the same for every head and backend of a
 * plan.
 *
 * @param queryRows queries of a query block
 * @param keyColumns keys of a key block
 */
public record BlockShape(int queryRows, int keyColumns) {
  /**
   * 128 query rows by 64 keys: a GPU wants at least 128 rows per load of a key, and a CPU loses
   * nothing by it.
   */
  public static final BlockShape DEFAULT = new BlockShape(128, 64);

  /**
   * Checks the sizes.
   *
   * @throws InvalidInputException if a size is below 1
   */
  public BlockShape {
    if (queryRows < 1 || keyColumns < 1) {
      throw new InvalidInputException(
          "a block needs at least 1 row and 1 column, but is " + queryRows + " x " + keyColumns);
    }
  }

  /** Query blocks that cover {@code queryTokens} queries; the last may be partial. */
  public int queryBlocks(int queryTokens) {
    return Math.ceilDiv(queryTokens, queryRows);
  }

  /** Key blocks, aligned to multiples of {@link #keyColumns}, that cover {@code keyTokens} keys. */
  public int keyBlocks(int keyTokens) {
    return Math.ceilDiv(keyTokens, keyColumns);
  }
}
