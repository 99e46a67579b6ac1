package dev.heddle.kernels.cuda;

import dev.heddle.kernels.cuda.DeviceHandles.Event;
import dev.heddle.kernels.cuda.DeviceHandles.Stream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUDA_MEMCPY2D;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUmemorytype;
import jcuda.driver.JCudaDriver;

/**
 * Host memory that the device copies from and to by itself. Its owner waits until the last copy is
 * done before it touches the memory again.
 */
final class PinnedBuffer implements AutoCloseable {
  private final Pointer pointer = new Pointer();
  private final MemorySegment memory;
  private final Event copied = new Event();

  private final Releases owned = new Releases();

  PinnedBuffer(int bytes) {
    Driver.check(JCudaDriver.cuMemHostAlloc(pointer, bytes, 0), "taking pinned host memory");
    owned.add(
        () -> Driver.check(JCudaDriver.cuMemFreeHost(pointer), "giving pinned host memory back"));
    this.memory =
        MemorySegment.ofBuffer(pointer.getByteBuffer(0, bytes).order(ByteOrder.nativeOrder()));
    try {
      Driver.check(
          JCudaDriver.cuEventCreate(copied, CUevent_flags.CU_EVENT_DISABLE_TIMING),
          "creating an event");
    } catch (RuntimeException failure) {
      owned.closeAfter(failure);
      throw failure;
    }
    owned.add(() -> Driver.check(JCudaDriver.cuEventDestroy(copied), "destroying an event"));
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

  /**
   * Queues a copy of {@code rows.count()} rows from {@code address} on, one after the other to the
   * start of this.
   */
  void copyFrom(long address, DeviceRows rows, Stream stream) {
    if (rows.areNeighbours()) {
      copyFrom(address, rows.count() * rows.bytes(), stream);
      return;
    }
    CUDA_MEMCPY2D copy = new CUDA_MEMCPY2D();
    copy.srcMemoryType = CUmemorytype.CU_MEMORYTYPE_DEVICE;
    copy.srcDevice = DeviceHandles.pointer(address);
    copy.srcPitch = rows.pitchBytes();
    copy.dstMemoryType = CUmemorytype.CU_MEMORYTYPE_HOST;
    copy.dstHost = pointer;
    copy.dstPitch = rows.bytes();
    copy.WidthInBytes = rows.bytes();
    copy.Height = rows.count();
    Driver.check(JCudaDriver.cuMemcpy2DAsync(copy, stream), "copying rows from the device");
    record(stream);
  }

  /**
   * Rows in device memory.
   *
   * @param count rows
   * @param bytes bytes of a row
   * @param pitchBytes bytes from one row to the next
   */
  record DeviceRows(long count, long bytes, long pitchBytes) {
    boolean areNeighbours() {
      return pitchBytes == bytes;
    }
  }

  private void record(Stream stream) {
    Driver.check(JCudaDriver.cuEventRecord(copied, stream), "recording an event");
  }

  @Override
  public void close() {
    owned.close();
  }
}
