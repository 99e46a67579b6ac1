package dev.heddle.llm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A float32 matrix {@code [rows][width]} in native memory, read and written by rows.
 *
 * @param memory the memory
 * @param width numbers per row
 */
record FloatRows(MemorySegment memory, int width) {
  /** Start of the memory: a cache line. */
  private static final long ALIGNMENT = 64;

  static FloatRows allocate(Arena arena, int rows, int width) {
    return new FloatRows(arena.allocate(bytes(rows, width), ALIGNMENT), width);
  }

  static long bytes(int rows, int width) {
    return (long) rows * width * Float.BYTES;
  }

  void load(long row, float[] target) {
    MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, offset(row), target, 0, width);
  }

  void store(long row, float[] source) {
    MemorySegment.copy(source, 0, memory, ValueLayout.JAVA_FLOAT, offset(row), width);
  }

  /** The memory of {@code count} rows from {@code first} on. */
  MemorySegment rows(int first, int count) {
    return memory.asSlice(offset(first), bytes(count, width));
  }

  private long offset(long row) {
    return row * width * Float.BYTES;
  }
}
