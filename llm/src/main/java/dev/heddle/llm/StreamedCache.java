package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.GpuCopies;
import dev.heddle.runtime.ModelShape;

/**
 * A cache in pinned host memory, {@code [layer][K, V][keyValueHead][token][dim]}, with room for two
 * layers on the device. What a pass puts there is copied to the host while attention reads it; what
 * earlier tokens left of the next layer is brought back while a layer computes.
 */
final class StreamedCache extends DeviceKeyValueCache {
  private static final int BUFFERS = 2;

  private final GpuCopies copies;
  private final long address;

  /** Takes the memory on both sides. */
  StreamedCache(DeviceEngine engine, ModelShape shape, ElementType type, int capacity) {
    super(engine, shape, type, capacity);
    this.address = engine.allocate(bytes(shape, type, capacity));
    try {
      this.copies = engine.openCopies(hostBytes(shape, type, capacity));
    } catch (RuntimeException failure) {
      engine.free(address);
      throw failure;
    }
  }

  /** Bytes on the device. */
  static long bytes(ModelShape shape, ElementType type, long capacity) {
    return BUFFERS * layerBytes(shape, type, capacity);
  }

  /** Bytes on the host. */
  static long hostBytes(ModelShape shape, ElementType type, long capacity) {
    return shape.layers() * layerBytes(shape, type, capacity);
  }

  private static long layerBytes(ModelShape shape, ElementType type, long capacity) {
    return 2 * partBytes(shape, type, capacity);
  }

  @Override
  public CacheKind kind() {
    return CacheKind.HOST;
  }

  /**
   * The stream waits for all copies so far: those that brought this layer, and those that took what
   * the buffer held before. Only then the next layer is asked for, into the other buffer, whose
   * layer is done.
   */
  @Override
  Layer open(int number, boolean decoding) {
    if (number == 0) {
      bring(0);
    }
    copies.letStreamWait();
    if (number + 1 < shape().layers()) {
      bring(number + 1);
    }
    long keys = buffer(number);
    return new Layer(keys, keys + partBytes(shape(), type(), capacity()), capacity());
  }

  /** The place is that behind the tokens of the cache, whether the device knows it or the host. */
  @Override
  void keep(int number, Place first, int count) {
    long done = tokens() * rowBytes();
    copies.waitForStream();
    copies.toHost(buffer(number) + done, onHost(number) + done, rows(count));
  }

  @Override
  void decode(int number, DecodeKernels kernels, DecodeKernels.Query query) {
    long keys = buffer(number);
    long values = keys + partBytes(shape(), type(), capacity());
    kernels.decode(query, new Layer(keys, values, capacity()));
  }

  /** Copies wait for launches, and launches for copies. */
  @Override
  boolean canReplay() {
    return false;
  }

  @Override
  void release() {
    engine().close(copies);
    engine().free(address);
  }

  private void bring(int number) {
    if (tokens() > 0) {
      copies.waitForStream();
      copies.toDevice(onHost(number), buffer(number), rows(tokens()));
    }
  }

  /** The first {@code count} tokens of all heads of K, then of V. */
  private GpuCopies.Rows rows(int count) {
    return new GpuCopies.Rows(
        2L * shape().keyValueHeads(), count * rowBytes(), capacity() * rowBytes());
  }

  private long rowBytes() {
    return (long) shape().headDim() * type().bytes();
  }

  private long buffer(int number) {
    return address + number % BUFFERS * layerBytes(shape(), type(), capacity());
  }

  private long onHost(int number) {
    return number * layerBytes(shape(), type(), capacity());
  }
}
