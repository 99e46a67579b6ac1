package dev.heddle.kernels.cuda;

import dev.heddle.kernels.cuda.DeviceHandles.Event;
import dev.heddle.kernels.cuda.DeviceHandles.Stream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/**
 * Host memory that the device copies from and to by itself. Its owner waits until the last copy is
 * done before it touches the memory again.
 */
final class PinnedBuffer implements AutoCloseable {
  private final Pointer pointer = new Pointer();
  private final MemorySegment memory;
  private final Event copied = new Event();

  PinnedBuffer(int bytes) {
    Driver.check(JCudaDriver.cuMemHostAlloc(pointer, bytes, 0), "taking pinned host memory");
    this.memory =
        MemorySegment.ofBuffer(pointer.getByteBuffer(0, bytes).order(ByteOrder.nativeOrder()));
    Driver.check(
        JCudaDriver.cuEventCreate(copied, CUevent_flags.CU_EVENT_DISABLE_TIMING),
        "creating an event");
  }

  /** The memory, after the last copy is done. */
  MemorySegment await() {
    Driver.check(JCudaDriver.cuEventSynchronize(copied), "waiting for a copy");
    return memory;
  }

  /** Queues a copy of the first {@code bytes} bytes to {@code address}. */
  void copyTo(long address, long bytes, Stream stream) {
    Driver.check(
        JCudaDriver.cuMemcpyHtoDAsync(DeviceHandles.pointer(address), pointer, bytes, stream),
        "copying to the device");
    record(stream);
  }

  /** Queues a copy of {@code bytes} bytes from {@code address} to the start of this. */
  void copyFrom(long address, long bytes, Stream stream) {
    Driver.check(
        JCudaDriver.cuMemcpyDtoHAsync(pointer, DeviceHandles.pointer(address), bytes, stream),
        "copying from the device");
    record(stream);
  }

  private void record(Stream stream) {
    Driver.check(JCudaDriver.cuEventRecord(copied, stream), "recording an event");
  }

  @Override
  public void close() {
    Driver.check(JCudaDriver.cuEventDestroy(copied), "destroying an event");
    Driver.check(JCudaDriver.cuMemFreeHost(pointer), "giving pinned host memory back");
  }
}
