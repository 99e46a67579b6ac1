package dev.heddle.llm;

/** Layers that stay on the device. Where there is room for one only, each gives way to the next. */
final class ResidentLayers implements LayerMemory {
  private final DeviceEngine engine;
  private final LayerPlanes planes;
  private final int layers;
  private final long address;

  /** Takes the memory for {@code layers} layers. */
  ResidentLayers(DeviceEngine engine, LayerPlanes planes, int layers) {
    this.engine = engine;
    this.planes = planes;
    this.layers = layers;
    this.address = engine.allocate(layers * planes.bytes());
  }

  @Override
  public long open(int number, int tokens) {
    return address + number % layers * planes.bytes();
  }

  @Override
  public void keep(int number, int first, int count) {}

  @Override
  public boolean isResident() {
    return true;
  }

  @Override
  public void release() {
    engine.free(address);
  }
}
