package dev.heddle.api;

/**
 * The indices of all heads and sequences of a call in device memory, as compressed rows.
 *
 * <p>Rows are ordered {@code [sequence][head slot][query block]}, each sequence with {@link
 * GpuLayer#mostQueryBlocks} rows per head, of which a shorter sequence leaves the last ones empty.
 * Row {@code r} lists {@code blockStarts[blockOffsets[r]]} up to, not including, {@code
 * blockStarts[blockOffsets[r + 1]]}; columns likewise. The rules are those of {@link BlockIndex}.
 *
 * <p>A block or column may be read by one half of its row's queries only, and its entry then says
 * which half does not read it: bit {@link #UNREAD_BIT} for the first 64 queries, the bit above it
 * for the others. An entry without them is read by all queries of the row. Blocks may then come in
 * any order; columns with such a bit come behind those without.
 *
 * <p>An index that the attention kernel computes as it goes has no arrays: {@link #COMPUTED}.
 *
 * @param blockOffsets device address of int64 {@code [rows + 1]}
 * @param blockStarts device address of int32, the first keys of blocks
 * @param columnOffsets device address of int64 {@code [rows + 1]}
 * @param columns device address of int32, single keys
 */
public record GpuIndex(long blockOffsets, long blockStarts, long columnOffsets, long columns) {
  /**
   * The lower one of two bits of an entry, above all keys. Kernels have {@code heddle::unreadBy}
   * for them.
   */
  public static final int UNREAD_BIT = 29;

  /** The index of a pattern whose kernel knows each row without reading it. */
  public static final GpuIndex COMPUTED = new GpuIndex(0, 0, 0, 0);
}
