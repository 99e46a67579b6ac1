package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.runtime.ModelShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/** A cache in native memory: float32, {@code [keyValueHead][token][dim]} for each layer. */
final class HostKeyValueCache extends KeyValueCache {
  /** Start of each segment: a cache line. */
  private static final long ALIGNMENT = 64;

  private final Arena arena = OwnedArena.open();
  private final MemorySegment[] keys;
  private final MemorySegment[] values;

  /** Allocates an empty cache. */
  HostKeyValueCache(ModelShape shape, int capacity) {
    super(shape, capacity);
    keys = allocate();
    values = allocate();
  }

  /** Bytes that a cache of {@code capacity} tokens takes. */
  static long bytes(ModelShape shape, long capacity) {
    return 2L * shape.layers() * layerBytes(shape, capacity);
  }

  @Override
  public CacheKind kind() {
    return CacheKind.HOST;
  }

  @Override
  public void close() {
    arena.close();
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
    int headDim = shape().headDim();
    for (int head = 0; head < shape().keyValueHeads(); head++) {
      long element = ((long) head * capacity() + token) * headDim;
      MemorySegment.copy(
          row, head * headDim, memory, ValueLayout.JAVA_FLOAT, element * Float.BYTES, headDim);
    }
  }

  private HeadTensor view(MemorySegment memory, int count) {
    return new HeadTensor(
        memory,
        ElementType.FLOAT32,
        shape().keyValueHeads(),
        count,
        shape().headDim(),
        (long) capacity() * shape().headDim(),
        shape().headDim());
  }

  private MemorySegment[] allocate() {
    return IntStream.range(0, shape().layers())
        .mapToObj(_ -> arena.allocate(layerBytes(shape(), capacity()), ALIGNMENT))
        .toArray(MemorySegment[]::new);
  }

  private static long layerBytes(ModelShape shape, long capacity) {
    return shape.keyValueHeads() * capacity * shape.headDim() * Float.BYTES;
  }
}
