package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import java.util.Arrays;

/**
 * The model's scores of every token id as the next token, at one or more positions. Immutable.
 *
 * @see LlamaModel#prefill
 */
public final class Logits {
  private final float[][] rows;

  /** Takes ownership of {@code rows}, {@code [position][token id]}. */
  Logits(float[][] rows) {
    this.rows = rows;
  }

  /** Positions. */
  public int positions() {
    return rows.length;
  }

  /** A copy of the scores at position number {@code position}: one for each token id. */
  public float[] at(int position) {
    return row(position).clone();
  }

  /**
   * The token id with the greatest score at position number {@code position}; ties go to the lower
   * id.
   */
  public int greatest(int position) {
    float[] row = row(position);
    int greatest = 0;
    for (int token = 1; token < row.length; token++) {
      if (row[token] > row[greatest]) {
        greatest = token;
      }
    }
    return greatest;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Logits logits && Arrays.deepEquals(rows, logits.rows);
  }

  @Override
  public int hashCode() {
    return Arrays.deepHashCode(rows);
  }

  /** The scores themselves, for one who does not change them. */
  float[] shared(int position) {
    return row(position);
  }

  private float[] row(int position) {
    if (position < 0 || position >= rows.length) {
      throw new InvalidInputException(
          "there are logits at %d positions, not at number %d".formatted(rows.length, position));
    }
    return rows[position];
  }
}
