package dev.heddle.api;

import java.util.Arrays;

/**
 * Builds a {@link BlockIndex} row by row from the keys that each query block needs. Ranges are
 * joined and cut into blocks; what is left over becomes a block if it fills at least half of one,
 * else single columns. So the index covers what was asked for and adds at most half a block's keys
 * per separate range.
 *
 * <p>Linear in what is added if ranges come in ascending order, or in two such sequences one after
 * the other; else the ranges of a row are sorted.
 *
 * <p>Not safe for use by several threads.
 */
public final class BlockIndexBuilder {
  private final AttentionShape shape;
  private final BlockShape blocks;
  private final int rows;
  private final int[] blockOffsets;
  private final int[] columnOffsets;
  private final IntList blockStarts = new IntList();
  private final IntList columns = new IntList();
  private int row;
  private int visibleKeys;

  /**
   * Ranges of the row so far: first key in the upper half, end in the lower; so they sort by first
   * key.
   */
  private long[] ranges = new long[16];

  private long[] spareRanges = new long[16];
  private int rangeCount;
  private final IntList rowColumns = new IntList();

  BlockIndexBuilder(AttentionShape shape, BlockShape blocks) {
    this.shape = shape;
    this.blocks = blocks;
    this.rows = blocks.queryBlocks(shape.queryTokens());
    this.blockOffsets = new int[rows + 1];
    this.columnOffsets = new int[rows + 1];
    startRow();
  }

  /** The row that is being described: a query block, from 0. */
  public int row() {
    return row;
  }

  /** Position of the row's first query in the sequence. */
  public int firstPosition() {
    return Math.toIntExact(shape.firstQueryPosition() + (long) row * blocks.queryRows());
  }

  /** Keys that the row's last query may see; one more than its position. */
  public int visibleKeys() {
    return visibleKeys;
  }

  /**
   * The row needs the keys {@code firstKey} to {@code endKey - 1}. What lies before key 0 or above
   * the diagonal is dropped; ranges may overlap and come in any order.
   */
  public BlockIndexBuilder addRange(long firstKey, long endKey) {
    int first = Math.toIntExact(Math.max(0, Math.min(firstKey, Integer.MAX_VALUE)));
    int end = Math.toIntExact(Math.clamp(endKey, 0, visibleKeys));
    if (first < end) {
      if (rangeCount == ranges.length) {
        ranges = Arrays.copyOf(ranges, 2 * rangeCount);
      }
      ranges[rangeCount++] = (long) first << 32 | end;
    }
    return this;
  }

  /** The row needs the block of keys that starts at {@code start}. */
  public BlockIndexBuilder addBlock(int start) {
    return addRange(start, (long) start + blocks.keyColumns());
  }

  /**
   * The row needs the key {@code key}; dropped if it lies above the diagonal. Keys may repeat and
   * come in any order.
   */
  public BlockIndexBuilder addColumn(int key) {
    if (key >= 0 && key < visibleKeys) {
      rowColumns.add(key);
    }
    return this;
  }

  /** Ends the row and starts the next one. */
  public BlockIndexBuilder endRow() {
    if (row == rows) {
      throw new IllegalStateException("all " + rows + " rows have been ended");
    }
    int firstBlock = blockStarts.size();
    joinRanges();
    addColumnsOutside(firstBlock);
    row++;
    blockOffsets[row] = blockStarts.size();
    columnOffsets[row] = columns.size();
    startRow();
    return this;
  }

  /**
   * The index, checked.
   *
   * @throws InvalidIndexException if a row reads nothing
   * @throws IllegalStateException if rows are missing
   */
  public BlockIndex build() {
    if (row != rows) {
      throw new IllegalStateException("only " + row + " of " + rows + " rows have been ended");
    }
    return BlockIndex.checked(
        shape,
        blocks,
        new CompressedRows(blockOffsets, blockStarts.toArray()),
        new CompressedRows(columnOffsets, columns.toArray()));
  }

  private void startRow() {
    rangeCount = 0;
    rowColumns.clear();
    if (row < rows) {
      visibleKeys = BlockIndex.visibleKeys(shape, blocks, row);
    }
  }

  private void joinRanges() {
    sortRanges();
    // keys below this are in a block or among the row's columns, as far as they are needed
    int covered = 0;
    for (int i = 0; i < rangeCount; ) {
      int first = Math.max((int) (ranges[i] >>> 32), covered);
      int end = (int) ranges[i];
      for (i++; i < rangeCount && (int) (ranges[i] >>> 32) <= end; i++) {
        end = Math.max(end, (int) ranges[i]);
      }
      covered = Math.max(covered, cut(first, end));
    }
  }

  private void sortRanges() {
    int split = endOfAscent(0);
    if (split == rangeCount) {
      return;
    }
    if (endOfAscent(split) == rangeCount) {
      mergeRanges(split);
    } else {
      Arrays.sort(ranges, 0, rangeCount);
    }
  }

  private int endOfAscent(int from) {
    int i = from + 1;
    while (i < rangeCount && ranges[i - 1] <= ranges[i]) {
      i++;
    }
    return Math.min(i, rangeCount);
  }

  /** Merges the ascending ranges before {@code split} with those from there on. */
  private void mergeRanges(int split) {
    if (spareRanges.length < rangeCount) {
      spareRanges = new long[ranges.length];
    }
    int low = 0;
    int high = split;
    for (int i = 0; i < rangeCount; i++) {
      boolean takeLow = high == rangeCount || (low < split && ranges[low] <= ranges[high]);
      spareRanges[i] = takeLow ? ranges[low++] : ranges[high++];
    }
    long[] merged = spareRanges;
    spareRanges = ranges;
    ranges = merged;
  }

  /**
   * Cuts one joined range into blocks and columns; returns the first key after what was emitted.
   */
  private int cut(int first, int end) {
    int start = first;
    int width = blocks.keyColumns();
    while (start < end) {
      int left = end - start;
      if (left < width && 2L * left < width) {
        for (int key = start; key < end; key++) {
          rowColumns.add(key);
        }
        return end;
      }
      blockStarts.add(start);
      start = (int) Math.min((long) start + width, Integer.MAX_VALUE);
    }
    return start;
  }

  private void addColumnsOutside(int firstBlock) {
    rowColumns.sort();
    int block = firstBlock;
    int previous = -1;
    for (int i = 0; i < rowColumns.size(); i++) {
      int column = rowColumns.get(i);
      while (block < blockStarts.size()
          && (long) blockStarts.get(block) + blocks.keyColumns() <= column) {
        block++;
      }
      boolean inBlock = block < blockStarts.size() && blockStarts.get(block) <= column;
      if (!inBlock && column != previous) {
        columns.add(column);
        previous = column;
      }
    }
  }

  /** A growing list of ints without boxing. */
  private static final class IntList {
    private int[] entries = new int[16];
    private int size;

    void add(int value) {
      if (size == entries.length) {
        entries = Arrays.copyOf(entries, Math.multiplyExact(2, size));
      }
      entries[size++] = value;
    }

    int get(int i) {
      return entries[i];
    }

    int size() {
      return size;
    }

    void sort() {
      for (int i = 1; i < size; i++) {
        if (entries[i - 1] > entries[i]) {
          Arrays.sort(entries, 0, size);
          return;
        }
      }
    }

    void clear() {
      size = 0;
    }

    int[] toArray() {
      return Arrays.copyOf(entries, size);
    }
  }
}
