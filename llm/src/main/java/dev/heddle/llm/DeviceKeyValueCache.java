package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.api.GpuTensor;
import dev.heddle.runtime.ModelShape;

/**
 * A cache in device memory: {@code [keyValueHead][token][dim]} for K and for V of each layer. One
 * that is not kept has room for one layer only, whose keys and values give way to the next one's:
 * enough to read a prompt, but nothing can follow it.
 */
final class DeviceKeyValueCache extends KeyValueCache {
  private final DeviceEngine engine;
  private final ElementType type;
  private final long address;
  private final boolean kept;
  private boolean closed;

  /** Takes the memory. */
  DeviceKeyValueCache(
      DeviceEngine engine, ModelShape shape, ElementType type, int capacity, boolean kept) {
    super(shape, capacity);
    this.engine = engine;
    this.type = type;
    this.kept = kept;
    this.address = engine.allocate(bytes(shape, type, capacity, kept));
  }

  static long bytes(ModelShape shape, ElementType type, long capacity, boolean kept) {
    return (kept ? shape.layers() : 1) * 2L * partBytes(shape, type, capacity);
  }

  boolean isOf(DeviceEngine other) {
    return engine == other;
  }

  /** Where a layer's keys and values lie. */
  record Layer(long keys, long values, int capacity) {}

  Layer layer(int number) {
    long part = partBytes(shape(), type, capacity());
    long keys = address + (kept ? 2L * number * part : 0);
    return new Layer(keys, keys + part, capacity());
  }

  /** K or V of a layer, from {@code part} on, for the first {@code count} tokens. */
  GpuTensor view(long part, int count) {
    return new GpuTensor(
        part,
        type,
        shape().keyValueHeads(),
        count,
        shape().headDim(),
        (long) capacity() * shape().headDim(),
        shape().headDim());
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      engine.free(address);
    }
  }

  private static long partBytes(ModelShape shape, ElementType type, long capacity) {
    return shape.keyValueHeads() * capacity * shape.headDim() * type.bytes();
  }
}
