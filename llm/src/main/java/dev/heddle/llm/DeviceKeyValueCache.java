package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.api.GpuTensor;
import dev.heddle.runtime.ModelShape;
import java.util.Optional;

/**
 * A cache of a model on a device. A pass opens layer after layer: it finds the keys and values of
 * earlier tokens there in 16 bits, puts its own behind them, and says so.
 */
abstract sealed class DeviceKeyValueCache extends KeyValueCache
    permits WholeDeviceCache, NarrowDeviceCache, StreamedCache {
  private final DeviceEngine engine;
  private final ElementType type;
  private Optional<DeviceTokenPass> tokenPass = Optional.empty();
  private boolean closed;

  DeviceKeyValueCache(DeviceEngine engine, ModelShape shape, ElementType type, int capacity) {
    super(shape, capacity);
    this.engine = engine;
    this.type = type;
  }

  /**
   * Where a layer's keys and values lie in 16 bits: {@code [keyValueHead][capacity][dim]} at two
   * device addresses.
   */
  record Layer(long keys, long values, int capacity) {}

  /** The same in 8 bits, with the scales' addresses: float32 {@code [keyValueHead][capacity]}. */
  record NarrowLayer(long keys, long values, long keyScales, long valueScales, int capacity) {}

  /**
   * Where a pass finds and puts keys and values of layer {@code number}; until the next layer is
   * opened.
   *
   * @param decoding whether {@link #decode} alone will read what earlier tokens left
   */
  abstract Layer open(int number, boolean decoding);

  /** Keeps what was put into the layer that is open: {@code count} tokens from {@code first} on. */
  abstract void keep(int number, Place first, int count);

  /** Attention of one query over layer {@code number}, which is open and kept. */
  abstract void decode(int number, DecodeKernels kernels, DecodeKernels.Query query);

  /** Whether the launches for a token are the same for the next one. */
  abstract boolean canReplay();

  /** Gives its memory back. */
  abstract void release();

  boolean isOf(DeviceEngine other) {
    return engine == other;
  }

  DeviceEngine engine() {
    return engine;
  }

  ElementType type() {
    return type;
  }

  /** What writes one token after the other behind this. */
  DeviceTokenPass tokenPass() {
    DeviceTokenPass pass = tokenPass.orElseGet(() -> engine.newTokenPass(this));
    tokenPass = Optional.of(pass);
    return pass;
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
      try {
        tokenPass.ifPresent(DeviceTokenPass::close);
      } finally {
        release();
      }
    }
  }

  /** Bytes of K or V of one layer in {@code type}. */
  static long partBytes(ModelShape shape, ElementType type, long capacity) {
    return shape.keyValueHeads() * capacity * shape.headDim() * type.bytes();
  }
}
