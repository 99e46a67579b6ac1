package dev.heddle.runtime;

import dev.heddle.api.HeddleException;
import dev.heddle.api.InvalidIndexException;
import java.io.Serial;
import java.util.OptionalInt;

/** A pattern threw an error or gave an index that cannot be used. No attention was computed. */
public final class PatternFailedException extends HeddleException {
  @Serial private static final long serialVersionUID = 1;

  /** The pattern's name. */
  private final String pattern;

  /** The layer. */
  private final int layer;

  /** The query head. */
  private final int head;

  /**
   * Makes the error for an index that cannot be used.
   *
   * @param pattern the name of the pattern
   * @param head the query head's global number
   * @param problem what is wrong
   */
  public PatternFailedException(String pattern, int layer, int head, String problem) {
    super(message(pattern, layer, head, problem));
    this.pattern = pattern;
    this.layer = layer;
    this.head = head;
  }

  /** Makes the error for a pattern that threw {@code cause}. */
  public PatternFailedException(String pattern, int layer, int head, Throwable cause) {
    super(message(pattern, layer, head, problem(cause)), cause);
    this.pattern = pattern;
    this.layer = layer;
    this.head = head;
  }

  /** The name of the pattern. */
  public String pattern() {
    return pattern;
  }

  /** The layer. */
  public int layer() {
    return layer;
  }

  /** The query head's global number. */
  public int head() {
    return head;
  }

  /** The query block (row of the index) that is wrong, where that is known. */
  public OptionalInt row() {
    return getCause() instanceof InvalidIndexException invalid
        ? OptionalInt.of(invalid.row())
        : OptionalInt.empty();
  }

  private static String message(String pattern, int layer, int head, String problem) {
    return "pattern '%s', layer %d, head %d: %s".formatted(pattern, layer, head, problem);
  }

  private static String problem(Throwable cause) {
    return cause instanceof InvalidIndexException invalid
        ? "invalid index: " + invalid.getMessage()
        : "it failed: " + cause;
  }
}
