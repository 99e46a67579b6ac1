package dev.heddle.kernels.vector;

import dev.heddle.api.BlockIndex;

/** Walks the keys that a query block reads, as runs of neighbouring keys. */
final class KeyRuns {
  private final BlockIndex index;
  private final int row;
  private final int endKey;
  private final int blocks;
  private final int columns;
  private int nextBlock;
  private int nextColumn;
  private int key;
  private int runEnd;

  private KeyRuns(BlockIndex index, int row, int endKey, int blocks, int columns) {
    this.index = index;
    this.row = row;
    this.endKey = endKey;
    this.blocks = blocks;
    this.columns = columns;
  }

  /**
   * The keys below {@code endKey} that row {@code row} lists: its columns, then its blocks, so that
   * the diagonal, which some queries do not see, comes last. The rows of a dense index are one run
   * each.
   */
  static KeyRuns of(BlockIndex index, int row, int endKey) {
    if (index.isDense()) {
      return range(index, 0, endKey);
    }
    KeyRuns runs = new KeyRuns(index, row, endKey, index.blockCount(row), index.columnCount(row));
    runs.nextRun();
    return runs;
  }

  /** The keys {@code firstKey} to {@code endKey - 1}, one run. */
  static KeyRuns range(BlockIndex index, int firstKey, int endKey) {
    KeyRuns runs = new KeyRuns(index, 0, endKey, 0, 0);
    runs.key = firstKey;
    runs.runEnd = endKey;
    return runs;
  }

  /** Whether keys are left. */
  boolean hasNext() {
    return key < runEnd;
  }

  /** The next key. */
  int key() {
    return key;
  }

  /** Keys left in the run that starts with {@link #key}. */
  int length() {
    return runEnd - key;
  }

  /** Goes on by {@code count} keys of the run. */
  void advance(int count) {
    key += count;
    if (key == runEnd) {
      nextRun();
    }
  }

  private void nextRun() {
    if (nextColumn < columns && index.column(row, nextColumn) < endKey) {
      key = index.column(row, nextColumn++);
      runEnd = key + 1;
      while (runEnd < endKey && nextColumn < columns && index.column(row, nextColumn) == runEnd) {
        nextColumn++;
        runEnd++;
      }
    } else if (nextBlock < blocks && index.blockStart(row, nextBlock) < endKey) {
      key = index.blockStart(row, nextBlock++);
      runEnd = (int) Math.min((long) key + index.blocks().keyColumns(), endKey);
    } else {
      key = endKey;
      runEnd = endKey;
    }
  }
}
