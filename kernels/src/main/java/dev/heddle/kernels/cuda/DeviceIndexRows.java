package dev.heddle.kernels.cuda;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads an index back that was built on the device; {@link BlockIndex} checks what comes back.
 *
 * <p>Where halves of a row's queries read different blocks, what comes back has a row for each
 * half.
 */
record DeviceIndexRows(GpuCall call, GpuIndex index) {
  private static final int KEY_BITS = (1 << GpuIndex.UNREAD_BIT) - 1;

  /** The indices of head slot {@code slot}, one per sequence. Waits for the device. */
  List<BlockIndex> download(int slot, GpuQueue queue) {
    if (index.equals(GpuIndex.COMPUTED)) {
      throw new InvalidInputException("an index that is computed by its kernel cannot be read");
    }
    List<BlockIndex> indices = new ArrayList<>();
    BlockShape blocks = call.layer().blocks();
    int rowsPerHead = call.layer().mostQueryBlocks();
    for (int sequence = 0; sequence < call.layer().sequences().size(); sequence++) {
      AttentionShape shape = call.layer().shape(sequence);
      long firstRow = ((long) sequence * call.heads().size() + slot) * rowsPerHead;
      int rows = blocks.queryBlocks(shape.queryTokens());
      int[][] starts = lists(index.blockOffsets(), index.blockStarts(), firstRow, rows, queue);
      int[][] columns = lists(index.columnOffsets(), index.columns(), firstRow, rows, queue);
      indices.add(of(shape, blocks, starts, columns));
    }
    return indices;
  }

  /**
   * The index that rows of entries stand for.
   *
   * @param starts for each row, its entries of blocks as {@link GpuIndex} has them
   * @param columns for each row, its columns
   */
  static BlockIndex of(AttentionShape shape, BlockShape blocks, int[][] starts, int[][] columns) {
    if (isReadWhole(starts) && isReadWhole(columns)) {
      return BlockIndex.of(shape, blocks, starts, columns);
    }
    BlockShape halves = new BlockShape(blocks.queryRows() / 2, blocks.keyColumns());
    int rows = halves.queryBlocks(shape.queryTokens());
    int[][] halfStarts = new int[rows][];
    int[][] halfColumns = new int[rows][];
    for (int row = 0; row < rows; row++) {
      long end = Math.min((row + 1L) * halves.queryRows(), shape.queryTokens());
      long visibleKeys = shape.firstQueryPosition() + end;
      halfStarts[row] = readBy(row % 2, starts[row / 2], visibleKeys);
      halfColumns[row] = readBy(row % 2, columns[row / 2], visibleKeys);
    }
    return BlockIndex.of(shape, halves, halfStarts, halfColumns);
  }

  private static boolean isReadWhole(int[][] entries) {
    return Arrays.stream(entries).flatMapToInt(Arrays::stream).allMatch(entry -> entry <= KEY_BITS);
  }

  /** The keys of entries that half {@code half} of a row's queries reads, of those it may see. */
  private static int[] readBy(int half, int[] entries, long visibleKeys) {
    int unread = 1 << (GpuIndex.UNREAD_BIT + half);
    return Arrays.stream(entries)
        .filter(entry -> (entry & unread) == 0)
        .map(entry -> entry & KEY_BITS)
        .filter(key -> key < visibleKeys)
        .sorted()
        .toArray();
  }

  private static int[][] lists(
      long offsetsAddress, long entriesAddress, long firstRow, int rows, GpuQueue queue) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment offsets = arena.allocate(ValueLayout.JAVA_LONG, rows + 1L);
      queue.download(offsetsAddress + firstRow * Long.BYTES, offsets);
      long first = offsets.getAtIndex(ValueLayout.JAVA_LONG, 0);
      long count = offsets.getAtIndex(ValueLayout.JAVA_LONG, rows) - first;
      MemorySegment entries = arena.allocate(ValueLayout.JAVA_INT, count);
      queue.download(entriesAddress + first * Integer.BYTES, entries);
      int[][] lists = new int[rows][];
      for (int row = 0; row < rows; row++) {
        long from = offsets.getAtIndex(ValueLayout.JAVA_LONG, row) - first;
        long to = offsets.getAtIndex(ValueLayout.JAVA_LONG, row + 1L) - first;
        lists[row] =
            entries
                .asSlice(from * Integer.BYTES, (to - from) * Integer.BYTES)
                .toArray(ValueLayout.JAVA_INT);
      }
      return lists;
    }
  }
}
