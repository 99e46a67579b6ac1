package dev.heddle.api;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Random;
import java.util.TreeSet;

/** Random rows in the form of an index, and a brute-force reading of them. */
final class IndexRows {
  private final List<NavigableSet<Integer>> blockStarts = new ArrayList<>();
  private final List<NavigableSet<Integer>> columns = new ArrayList<>();

  static IndexRows random(AttentionShape shape, BlockShape blocks, Random random) {
    IndexRows result = new IndexRows();
    for (int row = 0; row < blocks.queryBlocks(shape.queryTokens()); row++) {
      result.addRow(
          shape.firstQueryPosition() + row * blocks.queryRows(),
          BlockIndex.visibleKeys(shape, blocks, row),
          blocks.keyColumns(),
          random);
    }
    return result;
  }

  private void addRow(int firstPosition, int visible, int keyColumns, Random random) {
    NavigableSet<Integer> rowColumns = new TreeSet<>();
    NavigableSet<Integer> rowStarts = new TreeSet<>();
    rowColumns.add(random.nextInt(firstPosition + 1)); // the first query reads a key
    int key = 0;
    while (key < visible) {
      boolean free = rowColumns.subSet(key, key + keyColumns).isEmpty();
      if (free && random.nextInt(4) == 0) {
        rowStarts.add(key);
        key += keyColumns;
        continue;
      }
      if (random.nextInt(4) == 0) {
        rowColumns.add(key);
      }
      key++;
    }
    blockStarts.add(rowStarts);
    columns.add(rowColumns);
  }

  BlockIndex index(AttentionShape shape, BlockShape blocks) {
    return BlockIndex.of(shape, blocks, arrays(blockStarts), arrays(columns));
  }

  boolean lists(int row, int key, int keyColumns) {
    return columns.get(row).contains(key)
        || blockStarts.get(row).stream()
            .anyMatch(start -> start <= key && key - start < keyColumns);
  }

  private static int[][] arrays(List<NavigableSet<Integer>> rows) {
    return rows.stream()
        .map(row -> row.stream().mapToInt(Integer::intValue).toArray())
        .toArray(int[][]::new);
  }
}
