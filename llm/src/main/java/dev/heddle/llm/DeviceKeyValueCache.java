package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.api.GpuTensor;
import java.util.Optional;

/**
 * A cache of a model on a device. A pass opens layer after layer: it finds the keys and values of
 * earlier tokens there in 16 bits, puts its own behind them, and says so.
 */
abstract sealed class DeviceKeyValueCache extends KeyValueCache permits PlainCache, NarrowCache {
  private final DeviceEngine engine;
  private final ElementType type;
  private final CacheKind kind;
  private final LayerMemory memory;
  private Optional<DeviceTokenPass> tokenPass = Optional.empty();
  private boolean closed;

  /** Takes over {@code memory}. */
  DeviceKeyValueCache(
      DeviceEngine engine, ElementType type, CacheKind kind, LayerMemory memory, int capacity) {
    super(engine.shape(), capacity);
    this.engine = engine;
    this.type = type;
    this.kind = kind;
    this.memory = memory;
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

  /** Keeps what was put into {@code opened}: {@code count} tokens from {@code first} on. */
  abstract void keep(int number, Layer opened, Place first, int count);

  /** Attention of one query over the layer that is open and kept. */
  abstract void decode(Layer opened, DecodeKernels kernels, DecodeKernels.Query query);

  /** Gives back what is not {@link #memory}. */
  abstract void releaseOthers();

  /** Whether the launches for a token are the same for the next one. */
  boolean canReplay() {
    return memory.isResident();
  }

  @Override
  public CacheKind kind() {
    return kind;
  }

  LayerMemory memory() {
    return memory;
  }

  boolean isOf(DeviceEngine other) {
    return engine == other;
  }

  DeviceEngine engine() {
    return engine;
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
        memory.release();
        releaseOthers();
      }
    }
  }
}
