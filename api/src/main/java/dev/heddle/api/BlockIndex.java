package dev.heddle.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the queries of one head read: for each query block (a row of the index), a sorted list of
 * key <em>blocks</em>, given by their first key, and a sorted list of single <em>columns</em>
 * outside those blocks.
 *
 * <p>Query {@code i} reads key {@code j} exactly if {@code j <= i + firstQueryPosition} and the row
 * of {@code i}'s query block lists {@code j}. A block of {@code keyColumns} keys may start at any
 * token and may run past the last key or past the diagonal; what lies there is not read.
 *
 * <p>An index is immutable and has been checked: rows are sorted and in range, no key is listed
 * twice, every query reads at least one key, and nothing listed lies wholly above the diagonal.
 * Memory is proportional to what is listed; {@link #dense} lists everything and stores nothing.
 *
 * <p>For 8 queries of 8 keys in blocks of 4 x 2, one sink and a window of two keys become
 *
 * <pre>
 *     query 0..3:  blocks [0, 2]         columns []   reads keys 0 1 | 2 3
 *     query 4..7:  blocks [0, 3, 5, 7]   columns []   reads keys 0 1 | 3 4 | 5 6 | 7
 * </pre>
 */
public final class BlockIndex {
  private final AttentionShape shape;
  private final BlockShape blocks;
  private final @Nullable CompressedRows blockRows;
  private final @Nullable CompressedRows columnRows;
  private final long cells;

  private BlockIndex(
      AttentionShape shape,
      BlockShape blocks,
      @Nullable CompressedRows blockRows,
      @Nullable CompressedRows columnRows) {
    this.shape = shape;
    this.blocks = blocks;
    this.blockRows = blockRows;
    this.columnRows = columnRows;
    this.cells = blockRows == null ? shape.causalCells() : countCells();
  }

  /** The index in which every query reads every key up to its own position. */
  public static BlockIndex dense(AttentionShape shape, BlockShape blocks) {
    return new BlockIndex(shape, blocks, null, null);
  }

  /** Starts an index whose rows are described by the keys that they need. */
  public static BlockIndexBuilder builder(AttentionShape shape, BlockShape blocks) {
    return new BlockIndexBuilder(shape, blocks);
  }

  /**
   * Makes an index from rows that are already in the form of the index, and checks them.
   *
   * @param blockStarts for each row, the first keys of its blocks
   * @param columns for each row, its single keys
   * @throws InvalidIndexException naming the row that breaks a rule of this class
   */
  public static BlockIndex of(
      AttentionShape shape, BlockShape blocks, int[][] blockStarts, int[][] columns) {
    return checked(shape, blocks, CompressedRows.of(blockStarts), CompressedRows.of(columns));
  }

  static BlockIndex checked(
      AttentionShape shape,
      BlockShape blocks,
      CompressedRows blockRows,
      CompressedRows columnRows) {
    new BlockIndexCheck(shape, blocks, blockRows, columnRows).run();
    return new BlockIndex(shape, blocks, blockRows, columnRows);
  }

  /** The sizes that this index was built for. */
  public AttentionShape shape() {
    return shape;
  }

  /** The sizes of a query block and a key block. */
  public BlockShape blocks() {
    return blocks;
  }

  /** Whether this index was made by {@link #dense}. */
  public boolean isDense() {
    return blockRows == null;
  }

  /** Rows: query blocks, the last of which may be partial. */
  public int rows() {
    return blocks.queryBlocks(shape.queryTokens());
  }

  /** Queries of row {@code row}: {@code queryRows}, or fewer in the last row. */
  public int queriesInRow(int row) {
    return Math.min(blocks.queryRows(), shape.queryTokens() - row * blocks.queryRows());
  }

  /** Keys that the last query of row {@code row} may see: one more than its position. */
  public int visibleKeys(int row) {
    return visibleKeys(shape, blocks, row);
  }

  /** Blocks that row {@code row} lists. */
  public int blockCount(int row) {
    return blockRows == null
        ? Math.ceilDiv(visibleKeys(row), blocks.keyColumns())
        : blockRows.count(row);
  }

  /** First key of block {@code i} of row {@code row}. */
  public int blockStart(int row, int i) {
    return blockRows == null ? i * blocks.keyColumns() : blockRows.get(row, i);
  }

  /** Single columns that row {@code row} lists. */
  public int columnCount(int row) {
    return columnRows == null ? 0 : columnRows.count(row);
  }

  /** Column {@code i} of row {@code row}: a key. */
  public int column(int row, int i) {
    if (columnRows == null) {
      throw new IndexOutOfBoundsException("a dense index lists no columns");
    }
    return columnRows.get(row, i);
  }

  /**
   * Whether query {@code query} (from 0 within the queries) reads key {@code key}; of no key
   * outside the sequence.
   */
  public boolean attends(int query, int key) {
    Objects.checkIndex(query, shape.queryTokens());
    if (key < 0 || key > query + shape.firstQueryPosition()) {
      return false;
    }
    if (blockRows == null || columnRows == null) {
      return true;
    }
    int row = query / blocks.queryRows();
    int block = blockRows.floor(row, key);
    return (block >= 0 && key - blockRows.get(row, block) < blocks.keyColumns())
        || columnRows.contains(row, key);
  }

  /** Cells (query, key) that are computed: those that queries read. */
  public long cells() {
    return cells;
  }

  /** {@link #cells} as a share of the causal cells: 1 for dense. */
  public double density() {
    return (double) cells / shape.causalCells();
  }

  /** Bytes of memory that the lists take. */
  public long bytes() {
    return blockRows == null || columnRows == null ? 0 : blockRows.bytes() + columnRows.bytes();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BlockIndex index
        && shape.equals(index.shape)
        && blocks.equals(index.blocks)
        && isDense() == index.isDense()
        && Objects.equals(blockRows, index.blockRows)
        && Objects.equals(columnRows, index.columnRows);
  }

  @Override
  public int hashCode() {
    return Objects.hash(shape, blocks, blockRows, columnRows);
  }

  @Override
  public String toString() {
    return "BlockIndex[%d rows of %d x %d, density %.4f]"
        .formatted(rows(), blocks.queryRows(), blocks.keyColumns(), density());
  }

  static int visibleKeys(AttentionShape shape, BlockShape blocks, int row) {
    long end = Math.min((row + 1L) * blocks.queryRows(), shape.queryTokens());
    return Math.toIntExact(shape.firstQueryPosition() + end);
  }

  private long countCells() {
    long total = 0;
    for (int row = 0; row < rows(); row++) {
      for (int i = 0; i < blockCount(row); i++) {
        int start = blockStart(row, i);
        long end = Math.min((long) start + blocks.keyColumns(), visibleKeys(row));
        total += cellsOfKeys(row, start, Math.toIntExact(end));
      }
      for (int i = 0; i < columnCount(row); i++) {
        total += cellsOfKeys(row, column(row, i), column(row, i) + 1);
      }
    }
    return total;
  }

  /**
   * Cells on or below the diagonal of keys {@code first} to {@code end - 1}, all visible to the
   * row's last query.
   */
  private long cellsOfKeys(int row, int first, int end) {
    int visible = visibleKeys(row);
    int queries = queriesInRow(row);
    // Key j is seen by min(queries, visible - j) queries; the keys that all queries see come first.
    int seenByAll = Math.clamp(visible - queries + 1L - first, 0, end - first);
    long seenBySome = (long) end - first - seenByAll;
    long most = visible - (first + (long) seenByAll);
    return (long) seenByAll * queries + seenBySome * (2 * most - seenBySome + 1) / 2;
  }
}
