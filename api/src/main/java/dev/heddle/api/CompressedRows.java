package dev.heddle.api;

import java.util.Arrays;
import java.util.Objects;

/** Lists of ints, one list per row: compressed rows (offsets and entries). */
final class CompressedRows {
  private final int[] offsets;
  private final int[] entries;

  CompressedRows(int[] offsets, int[] entries) {
    this.offsets = offsets;
    this.entries = entries;
  }

  static CompressedRows of(int[][] rows) {
    int[] offsets = new int[rows.length + 1];
    for (int row = 0; row < rows.length; row++) {
      offsets[row + 1] = Math.addExact(offsets[row], rows[row].length);
    }
    int[] entries = new int[offsets[rows.length]];
    for (int row = 0; row < rows.length; row++) {
      System.arraycopy(rows[row], 0, entries, offsets[row], rows[row].length);
    }
    return new CompressedRows(offsets, entries);
  }

  int rows() {
    return offsets.length - 1;
  }

  int count(int row) {
    return offsets[row + 1] - offsets[row];
  }

  int get(int row, int i) {
    return entries[offsets[row] + Objects.checkIndex(i, count(row))];
  }

  /**
   * Place in row {@code row} of the last entry that is at most {@code value}; -1 if there is none.
   */
  int floor(int row, int value) {
    int found = Arrays.binarySearch(entries, offsets[row], offsets[row + 1], value);
    return (found >= 0 ? found : -found - 2) - offsets[row];
  }

  boolean contains(int row, int value) {
    return Arrays.binarySearch(entries, offsets[row], offsets[row + 1], value) >= 0;
  }

  long bytes() {
    return 4L * (offsets.length + entries.length);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CompressedRows rows
        && Arrays.equals(offsets, rows.offsets)
        && Arrays.equals(entries, rows.entries);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(offsets) + Arrays.hashCode(entries);
  }
}
