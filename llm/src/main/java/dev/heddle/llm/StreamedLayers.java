package dev.heddle.llm;

import dev.heddle.kernels.GpuCopies;
import dev.heddle.kernels.GpuCopies.Rows;

/**
 * Layers in pinned memory of the host, with room for two on the device. What a pass puts there is
 * copied to the host while attention reads it; what earlier tokens left of the next layer is
 * brought back while a layer computes.
 */
final class StreamedLayers implements LayerMemory {
  /** Layers on the device. */
  static final int BUFFERS = 2;

  private final DeviceEngine engine;
  private final LayerPlanes planes;
  private final int layers;
  private final long address;
  private final GpuCopies copies;

  /** Takes the memory on both sides. */
  StreamedLayers(DeviceEngine engine, LayerPlanes planes, int layers) {
    this.engine = engine;
    this.planes = planes;
    this.layers = layers;
    this.address = engine.allocate(BUFFERS * planes.bytes());
    try {
      this.copies = engine.openCopies(layers * planes.bytes());
    } catch (RuntimeException failure) {
      engine.free(address);
      throw failure;
    }
  }

  /**
   * The stream waits for all copies so far: those that brought this layer, and those that took what
   * its buffer held before. Only then the next layer is asked for, into the other buffer, whose
   * layer is done.
   */
  @Override
  public long open(int number, int tokens) {
    if (number == 0) {
      bring(0, tokens);
    }
    copies.letStreamWait();
    if (number + 1 < layers) {
      bring(number + 1, tokens);
    }
    return buffer(number);
  }

  @Override
  public void keep(int number, int first, int count) {
    copies.waitForStream();
    for (int plane = 0; plane < planes.rowBytes().size(); plane++) {
      long offset = planes.offset(plane) + (long) first * planes.rowBytes().get(plane);
      copies.toHost(buffer(number) + offset, onHost(number) + offset, rows(plane, count));
    }
  }

  private void bring(int number, int tokens) {
    if (tokens > 0) {
      copies.waitForStream();
      for (int plane = 0; plane < planes.rowBytes().size(); plane++) {
        long offset = planes.offset(plane);
        copies.toDevice(onHost(number) + offset, buffer(number) + offset, rows(plane, tokens));
      }
    }
  }

  /** The rows of {@code count} neighbouring tokens, of all heads. */
  private Rows rows(int plane, int count) {
    long row = planes.rowBytes().get(plane);
    return new Rows(planes.heads(), count * row, planes.capacity() * row);
  }

  private long buffer(int number) {
    return address + number % BUFFERS * planes.bytes();
  }

  private long onHost(int number) {
    return number * planes.bytes();
  }

  /** Copies wait for launches, and launches for copies. */
  @Override
  public boolean isResident() {
    return false;
  }

  @Override
  public void release() {
    try {
      engine.close(copies);
    } finally {
      engine.free(address);
    }
  }
}
