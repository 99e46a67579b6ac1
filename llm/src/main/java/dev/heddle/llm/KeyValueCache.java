package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.ModelShape;

/**
 * The keys and values of the tokens that a model has read, where the model computes: in native
 * memory as float32, or in the memory of a GPU in the type that the model computes with there.
 *
 * <p>A prompt may be appended to what is there, and what was read last may be dropped with {@link
 * #truncate}, so that several questions can share one long text. Not safe for use by several
 * threads at once.
 */
public abstract sealed class KeyValueCache implements AutoCloseable
    permits HostKeyValueCache, DeviceKeyValueCache {
  private final ModelShape shape;
  private final int capacity;
  private int tokens;

  /**
   * An empty cache.
   *
   * @param shape the model's layers and heads
   * @param capacity tokens that it can hold, at least 1
   * @throws InvalidInputException if the capacity is below 1
   */
  KeyValueCache(ModelShape shape, int capacity) {
    if (capacity < 1) {
      throw new InvalidInputException("a cache holds at least 1 token, not " + capacity);
    }
    this.shape = shape;
    this.capacity = capacity;
  }

  /** Where it keeps keys and values, and in what type. */
  public abstract CacheKind kind();

  /** Tokens that it holds. */
  public int tokens() {
    return tokens;
  }

  /** Tokens that it can hold. */
  public int capacity() {
    return capacity;
  }

  /**
   * Drops all tokens but the first {@code keptTokens}.
   *
   * @throws InvalidInputException if it does not hold that many
   */
  public void truncate(int keptTokens) {
    if (keptTokens < 0 || keptTokens > tokens) {
      throw new InvalidInputException(
          "the cache holds %d tokens; %d of them cannot be kept".formatted(tokens, keptTokens));
    }
    tokens = keptTokens;
  }

  /** Frees its memory. */
  @Override
  public abstract void close();

  ModelShape shape() {
    return shape;
  }

  /** Makes the tokens that were stored behind those it holds its own. */
  void advance(int newTokens) {
    tokens += newTokens;
  }
}
