package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.runtime.ModelShape;

/** What caches of a model on a GPU take. */
record DeviceCacheSizes(ModelShape shape, ElementType type) {
  /** How a layer lies in a cache. */
  LayerPlanes planes(CacheKind kind, long capacity) {
    return kind.isNarrow()
        ? LayerPlanes.narrow(shape, capacity)
        : LayerPlanes.plain(shape, type, capacity);
  }

  CacheSize size(CacheKind kind, long capacity) {
    long layer = planes(kind, capacity).bytes();
    long wide = kind.isNarrow() ? NarrowCache.wideBytes(shape, type, capacity) : 0;
    return kind.isOnHost()
        ? new CacheSize(StreamedLayers.BUFFERS * layer + wide, shape.layers() * layer)
        : new CacheSize(shape.layers() * layer + wide, 0);
  }

  /** Bytes of a plain cache on the device; of one layer where it is not kept. */
  long bytes(long capacity, boolean kept) {
    return (kept ? shape.layers() : 1) * planes(CacheKind.DEVICE, capacity).bytes();
  }
}
