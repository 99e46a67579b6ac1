package dev.heddle.kernels.cuda;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuQueue;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Indices that the host has built, as the compressed rows of {@link GpuIndex}.
 *
 * @param call the heads and sequences
 * @param indices {@code [head slot][sequence]}
 * @param blockCount blocks that all rows list together
 * @param columnCount columns that all rows list together
 */
record HostIndexRows(
    GpuCall call, List<List<BlockIndex>> indices, long blockCount, long columnCount) {
  static HostIndexRows of(GpuCall call, List<List<BlockIndex>> indices) {
    long blocks = 0;
    long columns = 0;
    for (List<BlockIndex> ofHead : indices) {
      for (BlockIndex index : ofHead) {
        for (int row = 0; row < index.rows(); row++) {
          blocks += index.blockCount(row);
          columns += index.columnCount(row);
        }
      }
    }
    return new HostIndexRows(call, indices, blocks, columns);
  }

  /** Device memory that the rows take. */
  long bytes() {
    return 2 * (call.indexRows() + 1) * Long.BYTES
        + (entries(blockCount) + entries(columnCount)) * Integer.BYTES;
  }

  /** Queues the upload of the rows. */
  GpuIndex upload(GpuQueue queue) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment blockOffsets = offsets(arena);
      MemorySegment columnOffsets = offsets(arena);
      MemorySegment blocks = arena.allocate(ValueLayout.JAVA_INT, entries(blockCount));
      MemorySegment columns = arena.allocate(ValueLayout.JAVA_INT, entries(columnCount));
      fill(blockOffsets, blocks, columnOffsets, columns);
      return new GpuIndex(
          upload(blockOffsets, queue),
          upload(blocks, queue),
          upload(columnOffsets, queue),
          upload(columns, queue));
    }
  }

  void fill(
      MemorySegment blockOffsets,
      MemorySegment blocks,
      MemorySegment columnOffsets,
      MemorySegment columns) {
    long row = 0;
    long block = 0;
    long column = 0;
    for (int sequence = 0; sequence < call.layer().sequences().size(); sequence++) {
      for (List<BlockIndex> ofHead : indices) {
        BlockIndex index = ofHead.get(sequence);
        for (int queryBlock = 0; queryBlock < call.layer().mostQueryBlocks(); queryBlock++) {
          if (queryBlock < index.rows()) {
            for (int i = 0; i < index.blockCount(queryBlock); i++) {
              blocks.setAtIndex(ValueLayout.JAVA_INT, block++, index.blockStart(queryBlock, i));
            }
            for (int i = 0; i < index.columnCount(queryBlock); i++) {
              columns.setAtIndex(ValueLayout.JAVA_INT, column++, index.column(queryBlock, i));
            }
          }
          row++;
          blockOffsets.setAtIndex(ValueLayout.JAVA_LONG, row, block);
          columnOffsets.setAtIndex(ValueLayout.JAVA_LONG, row, column);
        }
      }
    }
  }

  private MemorySegment offsets(Arena arena) {
    return arena.allocate(ValueLayout.JAVA_LONG, call.indexRows() + 1);
  }

  /** Memory of 0 bytes cannot be taken. */
  private static long entries(long count) {
    return Math.max(1, count);
  }

  private static long upload(MemorySegment memory, GpuQueue queue) {
    long address = queue.allocate(memory.byteSize());
    queue.upload(memory, address);
    return address;
  }
}
