package dev.heddle.llm;

import dev.heddle.api.ElementType;

/** A cache in the model's 16-bit type. */
final class PlainCache extends DeviceKeyValueCache {
  private final LayerPlanes planes;

  PlainCache(
      DeviceEngine engine, ElementType type, CacheKind kind, LayerMemory memory, int capacity) {
    super(engine, type, kind, memory, capacity);
    this.planes = LayerPlanes.plain(shape(), type, capacity);
  }

  @Override
  Layer open(int number, boolean decoding) {
    return layer(memory().open(number, tokens()));
  }

  private Layer layer(long address) {
    return new Layer(address, address + planes.offset(1), capacity());
  }

  @Override
  void keep(int number, Layer opened, Place first, int count) {
    memory().keep(number, tokens(), count);
  }

  @Override
  void decode(Layer opened, DecodeKernels kernels, DecodeKernels.Query query) {
    kernels.decode(query, opened);
  }

  @Override
  void releaseOthers() {}
}
