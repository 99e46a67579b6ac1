package dev.heddle.kernels.cuda;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Reads an index back that was built on the device; {@link BlockIndex} checks what comes back. */
record DeviceIndexRows(GpuCall call, GpuIndex index) {
  /** The indices of head slot {@code slot}, one per sequence. Waits for the device. */
  List<BlockIndex> download(int slot, GpuQueue queue) {
    if (index.equals(GpuIndex.COMPUTED)) {
      throw new InvalidInputException("an index that is computed by its kernel cannot be read");
    }
    List<BlockIndex> indices = new ArrayList<>();
    int rowsPerHead = call.layer().mostQueryBlocks();
    for (int sequence = 0; sequence < call.layer().sequences().size(); sequence++) {
      long firstRow = ((long) sequence * call.heads().size() + slot) * rowsPerHead;
      int rows =
          call.layer().blocks().queryBlocks(call.layer().sequences().get(sequence).queryTokens());
      indices.add(
          BlockIndex.of(
              call.layer().shape(sequence),
              call.layer().blocks(),
              lists(index.blockOffsets(), index.blockStarts(), firstRow, rows, queue),
              lists(index.columnOffsets(), index.columns(), firstRow, rows, queue)));
    }
    return indices;
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
