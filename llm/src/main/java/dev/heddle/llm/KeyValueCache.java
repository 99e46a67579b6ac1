package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.ModelShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/**
 * The keys and values of the tokens that a model has read: float32, {@code
 * [keyValueHead][token][dim]} for each layer, in native memory.
 *
 * <p>A prompt may be appended to what is there, and what was read last may be dropped with {@link
 * #truncate}, so that several questions can share one long text. Not safe for use by several
 * threads at once.
 */
public final class KeyValueCache implements AutoCloseable {
  /** Start of each segment: a cache line. */
  private static final long ALIGNMENT = 64;

  private final ModelShape shape;
  private final int capacity;
  private final Arena arena = OwnedArena.open();
  private final MemorySegment[] keys;
  private final MemorySegment[] values;
  private int tokens;

  /**
   * Allocates an empty cache.
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
    keys = allocate();
    values = allocate();
  }

  /** Bytes that a cache of {@code capacity} tokens takes. */
  static long bytes(ModelShape shape, long capacity) {
    return 2L * shape.layers() * layerBytes(shape, capacity);
  }

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
  public void close() {
    arena.close();
  }

  ModelShape shape() {
    return shape;
  }

  /** Makes the tokens that were stored behind those it holds its own. */
  void advance(int newTokens) {
    tokens += newTokens;
  }

  /** K of {@code layer} for the first {@code count} tokens, stored ones included. */
  HeadTensor keys(int layer, int count) {
    return view(keys[layer], count);
  }

  /** V of {@code layer} for the first {@code count} tokens, stored ones included. */
  HeadTensor values(int layer, int count) {
    return view(values[layer], count);
  }

  /**
   * Stores all heads of K at position {@code token}, {@code [keyValueHead][dim]} in {@code row}.
   */
  void storeKey(int layer, int token, float[] row) {
    store(keys[layer], token, row);
  }

  /**
   * Stores all heads of V at position {@code token}, {@code [keyValueHead][dim]} in {@code row}.
   */
  void storeValue(int layer, int token, float[] row) {
    store(values[layer], token, row);
  }

  private void store(MemorySegment memory, int token, float[] row) {
    int headDim = shape.headDim();
    for (int head = 0; head < shape.keyValueHeads(); head++) {
      long element = ((long) head * capacity + token) * headDim;
      MemorySegment.copy(
          row, head * headDim, memory, ValueLayout.JAVA_FLOAT, element * Float.BYTES, headDim);
    }
  }

  private HeadTensor view(MemorySegment memory, int count) {
    return new HeadTensor(
        memory,
        ElementType.FLOAT32,
        shape.keyValueHeads(),
        count,
        shape.headDim(),
        (long) capacity * shape.headDim(),
        shape.headDim());
  }

  private MemorySegment[] allocate() {
    return IntStream.range(0, shape.layers())
        .mapToObj(_ -> arena.allocate(layerBytes(shape, capacity), ALIGNMENT))
        .toArray(MemorySegment[]::new);
  }

  private static long layerBytes(ModelShape shape, long capacity) {
    return shape.keyValueHeads() * capacity * shape.headDim() * Float.BYTES;
  }
}
