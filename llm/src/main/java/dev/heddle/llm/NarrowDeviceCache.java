package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.runtime.ModelShape;

/**
 * A cache in device memory in 8 bits, with room for one layer in 16 bits: there a pass puts its
 * keys and values, and finds those before them widened.
 */
final class NarrowDeviceCache extends DeviceKeyValueCache {
  private static final int ALIGNMENT = 256;

  private final DecodeKernels kernels;
  private final long address;
  private final Layer wide;

  /** Takes the memory. */
  NarrowDeviceCache(DeviceEngine engine, DecodeKernels kernels, ElementType type, int capacity) {
    super(engine, engine.shape(), type, capacity);
    this.kernels = kernels;
    this.address = engine.allocate(bytes(shape(), type, capacity));
    long narrow = shape().layers() * layerBytes(shape(), capacity);
    long part = partBytes(shape(), type, capacity);
    this.wide = new Layer(address + narrow, address + narrow + part, capacity);
  }

  static long bytes(ModelShape shape, ElementType type, long capacity) {
    return shape.layers() * layerBytes(shape, capacity) + 2 * partBytes(shape, type, capacity);
  }

  private static long layerBytes(ModelShape shape, long capacity) {
    return 2 * (codeBytes(shape, capacity) + scaleBytes(shape, capacity));
  }

  private static long codeBytes(ModelShape shape, long capacity) {
    return aligned(shape.keyValueHeads() * capacity * shape.headDim());
  }

  private static long scaleBytes(ModelShape shape, long capacity) {
    return aligned(shape.keyValueHeads() * capacity * Float.BYTES);
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  private NarrowLayer layer(int number) {
    long codes = codeBytes(shape(), capacity());
    long keys = address + number * layerBytes(shape(), capacity());
    long scales = keys + 2 * codes;
    return new NarrowLayer(
        keys, keys + codes, scales, scales + scaleBytes(shape(), capacity()), capacity());
  }

  @Override
  public CacheKind kind() {
    return CacheKind.DEVICE_FP8;
  }

  @Override
  Layer open(int number, boolean decoding) {
    if (!decoding && tokens() > 0) {
      kernels.widen(layer(number), wide, tokens());
    }
    return wide;
  }

  @Override
  void keep(int number, Place first, int count) {
    kernels.narrow(wide, layer(number), first, count);
  }

  @Override
  void decode(int number, DecodeKernels decoder, DecodeKernels.Query query) {
    decoder.decode(query, layer(number));
  }

  @Override
  boolean canReplay() {
    return true;
  }

  @Override
  void release() {
    engine().free(address);
  }
}
