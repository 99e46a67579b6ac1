package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.runtime.ModelShape;

/**
 * A cache in device memory in the model's 16-bit type. One that is not kept has room for one layer
 * only, whose keys and values give way to the next one's: enough to read a prompt, but nothing can
 * follow it.
 */
final class WholeDeviceCache extends DeviceKeyValueCache {
  private final long address;
  private final boolean kept;

  /** Takes the memory. */
  WholeDeviceCache(
      DeviceEngine engine, ModelShape shape, ElementType type, int capacity, boolean kept) {
    super(engine, shape, type, capacity);
    this.kept = kept;
    this.address = engine.allocate(bytes(shape, type, capacity, kept));
  }

  static long bytes(ModelShape shape, ElementType type, long capacity, boolean kept) {
    return (kept ? shape.layers() : 1) * 2L * partBytes(shape, type, capacity);
  }

  @Override
  public CacheKind kind() {
    return CacheKind.DEVICE;
  }

  @Override
  Layer open(int number, boolean decoding) {
    long part = partBytes(shape(), type(), capacity());
    long keys = address + (kept ? 2L * number * part : 0);
    return new Layer(keys, keys + part, capacity());
  }

  @Override
  void keep(int number, Place first, int count) {}

  @Override
  void decode(int number, DecodeKernels kernels, DecodeKernels.Query query) {
    kernels.decode(query, open(number, true));
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
