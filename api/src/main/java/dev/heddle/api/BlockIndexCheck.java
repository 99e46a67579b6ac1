package dev.heddle.api;

/** The rules that {@link BlockIndex} promises, checked row by row in one pass over the lists. */
record BlockIndexCheck(
    AttentionShape shape, BlockShape blocks, CompressedRows blockRows, CompressedRows columnRows) {
  void run() {
    int rows = blocks.queryBlocks(shape.queryTokens());
    requireRows("blocks", blockRows, rows);
    requireRows("columns", columnRows, rows);
    for (int row = 0; row < rows; row++) {
      checkSpacing(row, "block", blockRows, blocks.keyColumns());
      checkSpacing(row, "column", columnRows, 1);
      checkDisjoint(row);
      checkFirstKey(row);
    }
  }

  private static void requireRows(String name, CompressedRows lists, int rows) {
    if (lists.rows() != rows) {
      throw new InvalidIndexException(
          Math.min(lists.rows(), rows),
          "lists of " + name + " for " + lists.rows() + " query blocks, but there are " + rows);
    }
  }

  /** Sorted, at least {@code width} apart, and starting at or below the last query's position. */
  private void checkSpacing(int row, String name, CompressedRows lists, int width) {
    int visible = BlockIndex.visibleKeys(shape, blocks, row);
    long least = 0;
    for (int i = 0; i < lists.count(row); i++) {
      int key = lists.get(row, i);
      if (key < 0 || key >= visible) {
        throw new InvalidIndexException(
            row,
            "%s %d is outside the keys 0 to %d that its queries may see"
                .formatted(name, key, visible - 1));
      }
      if (key < least) {
        throw new InvalidIndexException(
            row,
            "%s %d follows %s %d: not sorted, or a key twice"
                .formatted(name, key, name, lists.get(row, i - 1)));
      }
      least = (long) key + width;
    }
  }

  private void checkDisjoint(int row) {
    int block = 0;
    for (int i = 0; i < columnRows.count(row); i++) {
      int column = columnRows.get(row, i);
      while (block < blockRows.count(row)
          && (long) blockRows.get(row, block) + blocks.keyColumns() <= column) {
        block++;
      }
      if (block < blockRows.count(row) && blockRows.get(row, block) <= column) {
        throw new InvalidIndexException(
            row,
            "column %d also lies in block %d: a key twice"
                .formatted(column, blockRows.get(row, block)));
      }
    }
  }

  /** The first query of the row sees the fewest keys; if it reads one, all of them do. */
  private void checkFirstKey(int row) {
    int firstPosition =
        Math.toIntExact(shape.firstQueryPosition() + (long) row * blocks.queryRows());
    int least = Integer.MAX_VALUE;
    if (blockRows.count(row) > 0) {
      least = blockRows.get(row, 0);
    }
    if (columnRows.count(row) > 0) {
      least = Math.min(least, columnRows.get(row, 0));
    }
    if (least == Integer.MAX_VALUE) {
      throw new InvalidIndexException(row, "empty: its queries would read no key");
    }
    if (least > firstPosition) {
      throw new InvalidIndexException(
          row,
          "its first query, at position %d, would read no key: the first key listed is %d"
              .formatted(firstPosition, least));
    }
  }
}
