package dev.heddle.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import java.util.BitSet;

/**
 * Compares an index with the cells that a pattern requires, one cell at a time. A pattern author
 * writes the requirement down from its definition, as simply as can be.
 */
public final class RequiredCells {
  private RequiredCells() {}

  /** What a pattern requires. */
  @FunctionalInterface
  public interface Requirement {
    /**
     * Whether the query at {@code position} in the sequence must read {@code key}, which is at most
     * {@code position}.
     */
    boolean requires(int position, int key);
  }

  /**
   * Asserts that every query reads every key that it is required to.
   *
   * @param description of the input, for the failure
   */
  public static void assertCovers(BlockIndex index, Requirement requirement, Object description) {
    AttentionShape shape = index.shape();
    for (int query = 0; query < shape.queryTokens(); query++) {
      int position = query + shape.firstQueryPosition();
      for (int key = 0; key <= position; key++) {
        if (requirement.requires(position, key) && !index.attends(query, key)) {
          throw new AssertionError(
              "query %d at position %d does not read key %d: %s"
                  .formatted(query, position, key, description));
        }
      }
    }
  }

  /**
   * Asserts that a query block lists, beyond the keys that some query of it requires, at most half
   * a key block per run of neighbouring keys required: what rounding to blocks adds.
   *
   * @param description of the input, for the failure
   */
  public static void assertAddsOnlyRounding(
      BlockIndex index, Requirement requirement, Object description) {
    for (int row = 0; row < index.rows(); row++) {
      BitSet required = requiredKeys(index, row, requirement);
      BitSet added = listedKeys(index, row);
      added.andNot(required);
      long allowed = runs(required) * (index.blocks().keyColumns() / 2L);
      assertThat((long) added.cardinality())
          .as("keys added to row %d: %s: %s", row, added, description)
          .isLessThanOrEqualTo(allowed);
    }
  }

  private static BitSet requiredKeys(BlockIndex index, int row, Requirement requirement) {
    BitSet keys = new BitSet();
    int end = index.visibleKeys(row);
    for (int position = end - index.queriesInRow(row); position < end; position++) {
      for (int key = 0; key <= position; key++) {
        if (!keys.get(key) && requirement.requires(position, key)) {
          keys.set(key);
        }
      }
    }
    return keys;
  }

  /** The last query of a row reads all that the row lists. */
  private static BitSet listedKeys(BlockIndex index, int row) {
    int lastQuery = row * index.blocks().queryRows() + index.queriesInRow(row) - 1;
    BitSet keys = new BitSet();
    for (int key = 0; key < index.visibleKeys(row); key++) {
      keys.set(key, index.attends(lastQuery, key));
    }
    return keys;
  }

  private static int runs(BitSet keys) {
    int runs = 0;
    for (int key = keys.nextSetBit(0); key >= 0; key = keys.nextSetBit(keys.nextClearBit(key))) {
      runs++;
    }
    return runs;
  }
}
