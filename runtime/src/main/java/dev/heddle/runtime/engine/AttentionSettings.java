package dev.heddle.runtime.engine;

import dev.heddle.api.BlockShape;
import dev.heddle.api.InvalidInputException;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * How a façade computes, as opposed to what.
 *
 * @param backend a backend's name or {@code "auto"}
 * @param threads threads that build indices and compute attention
 * @param blocks the tile that indices are built in
 * @param denseBelow calls with fewer keys run dense; 0 for patterns exactly as assigned
 * @param queryHeadOffset the model's number of the first query head, for a shard
 * @param notes receives lines for the user
 */
public record AttentionSettings(
    String backend,
    int threads,
    BlockShape blocks,
    int denseBelow,
    OptionalInt queryHeadOffset,
    Consumer<String> notes) {
  /**
   * Checks the numbers.
   *
   * @throws InvalidInputException naming the one that is out of range
   */
  public AttentionSettings {
    if (threads < 1) {
      throw new InvalidInputException("threads is " + threads + "; allowed: an integer from 1");
    }
    if (denseBelow < 0) {
      throw new InvalidInputException(
          "denseBelow is " + denseBelow + "; allowed: an integer from 0 (key tokens)");
    }
  }

  /** The model's number of a call's query head. */
  int globalHead(int head) {
    return queryHeadOffset.orElse(0) + head;
  }

  /** Whether dense may take a pattern's place where it is no slower. */
  boolean prefersDense() {
    return denseBelow > 0;
  }
}
