package dev.heddle.api;

import java.io.Serial;

/** An index that breaks a rule of {@link BlockIndex}, with the row (query block) where it does. */
public final class InvalidIndexException extends HeddleException {
  @Serial private static final long serialVersionUID = 1;

  /** The query block. */
  private final int row;

  /** Makes the error for row {@code row} (a query block, from 0). */
  public InvalidIndexException(int row, String reason) {
    super("row " + row + ": " + reason);
    this.row = row;
  }

  /** The query block whose keys are wrong, from 0. */
  public int row() {
    return row;
  }
}
