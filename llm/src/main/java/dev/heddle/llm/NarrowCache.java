package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.runtime.ModelShape;

/**
 * A cache in 8 bits, with room for one layer in 16 bits: there a pass puts its keys and values, and
 * finds those before them widened.
 */
final class NarrowCache extends DeviceKeyValueCache {
  private final DecodeKernels kernels;
  private final LayerPlanes planes;
  private final long wideAddress;
  private final Layer wide;
  private NarrowLayer open = new NarrowLayer(0, 0, 0, 0, 0);

  /** Takes the memory for the layer in 16 bits; {@code memory} goes if that fails. */
  NarrowCache(DeviceEngine engine, ElementType type, CacheKind kind, LayerMemory memory, int room) {
    super(engine, type, kind, memory, room);
    this.kernels = engine.cacheKernels();
    this.planes = LayerPlanes.narrow(shape(), room);
    try {
      this.wideAddress = engine.allocate(wideBytes(shape(), type, room));
    } catch (RuntimeException failure) {
      memory.release();
      throw failure;
    }
    long values = wideAddress + LayerPlanes.plain(shape(), type, room).offset(1);
    this.wide = new Layer(wideAddress, values, room);
  }

  /** Bytes of the layer in 16 bits. */
  static long wideBytes(ModelShape shape, ElementType type, long capacity) {
    return LayerPlanes.plain(shape, type, capacity).bytes();
  }

  @Override
  Layer open(int number, boolean decoding) {
    long address = memory().open(number, tokens());
    open =
        new NarrowLayer(
            address,
            address + planes.offset(1),
            address + planes.offset(2),
            address + planes.offset(3),
            capacity());
    if (!decoding && tokens() > 0) {
      kernels.widen(open, wide, tokens());
    }
    return wide;
  }

  @Override
  void keep(int number, Layer opened, Place first, int count) {
    kernels.narrow(opened, open, first, count);
    memory().keep(number, tokens(), count);
  }

  @Override
  void decode(Layer opened, DecodeKernels decoder, DecodeKernels.Query query) {
    decoder.decode(query, open);
  }

  @Override
  void releaseOthers() {
    engine().free(wideAddress);
  }
}
