package dev.heddle.kernels.cuda;

import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.GpuCopies;
import dev.heddle.kernels.cuda.DeviceHandles.Event;
import dev.heddle.kernels.cuda.DeviceHandles.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;
import jcuda.driver.CUDA_MEMCPY2D;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUmemorytype;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/** Copies on a stream of their own, from and to pinned memory. */
final class CudaCopies implements GpuCopies {
  private final Stream computing;
  private final Consumer<Runnable> context;
  private final long bytes;
  private final long host;
  private final Stream copying = new Stream();
  private final Event computed = new Event();
  private final Event copied = new Event();
  private final Releases owned = new Releases();
  private boolean closed;

  /**
   * Takes everything, or where something cannot be had, nothing. The context must be current.
   *
   * @param driver takes the host memory
   * @param computing the stream beside which is copied
   * @param bytes host memory to take
   * @param context runs what it is given in the context
   */
  CudaCopies(DriverLibrary driver, Stream computing, long bytes, Consumer<Runnable> context) {
    this.computing = computing;
    this.bytes = bytes;
    this.context = context;
    if (bytes < 1) {
      throw new InvalidInputException(
          "%d bytes of host memory cannot be taken; allowed: 1 or more".formatted(bytes));
    }
    try {
      this.host = allocate(driver);
      owned.add(() -> Driver.check(driver.freeHost(host), "giving pinned host memory back"));
      Driver.check(
          JCudaDriver.cuStreamCreate(copying, CUstream_flags.CU_STREAM_NON_BLOCKING),
          "creating a stream");
      owned.add(() -> Driver.check(JCudaDriver.cuStreamDestroy(copying), "destroying a stream"));
      own(computed);
      own(copied);
      owned.add(() -> Driver.check(JCudaDriver.cuStreamSynchronize(copying), "waiting for copies"));
    } catch (RuntimeException failure) {
      owned.closeAfter(failure);
      throw failure;
    }
  }

  private long allocate(DriverLibrary driver) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(ValueLayout.JAVA_LONG);
      Driver.check(
          driver.allocateHost(address, bytes),
          "taking %d bytes of pinned host memory".formatted(bytes));
      return address.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  private void own(Event event) {
    Driver.check(
        JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING),
        "creating an event");
    owned.add(() -> Driver.check(JCudaDriver.cuEventDestroy(event), "destroying an event"));
  }

  @Override
  public void toHost(long address, long offset, Rows rows) {
    CUDA_MEMCPY2D copy = copy(offset, rows);
    copy.srcMemoryType = CUmemorytype.CU_MEMORYTYPE_DEVICE;
    copy.srcDevice = DeviceHandles.pointer(address);
    copy.dstMemoryType = CUmemorytype.CU_MEMORYTYPE_HOST;
    copy.dstHost = DeviceHandles.pointer(host + offset);
    queue(copy, "copying to the host");
  }

  @Override
  public void toDevice(long offset, long address, Rows rows) {
    CUDA_MEMCPY2D copy = copy(offset, rows);
    copy.srcMemoryType = CUmemorytype.CU_MEMORYTYPE_HOST;
    copy.srcHost = DeviceHandles.pointer(host + offset);
    copy.dstMemoryType = CUmemorytype.CU_MEMORYTYPE_DEVICE;
    copy.dstDevice = DeviceHandles.pointer(address);
    queue(copy, "copying from the host");
  }

  private CUDA_MEMCPY2D copy(long offset, Rows rows) {
    if (offset < 0 || offset + (rows.count() - 1) * rows.pitchBytes() + rows.bytes() > bytes) {
      throw new InvalidInputException(
          "%s from byte %d on lie outside of %d bytes of host memory"
              .formatted(rows, offset, bytes));
    }
    CUDA_MEMCPY2D copy = new CUDA_MEMCPY2D();
    copy.srcPitch = rows.pitchBytes();
    copy.dstPitch = rows.pitchBytes();
    copy.WidthInBytes = rows.bytes();
    copy.Height = rows.count();
    return copy;
  }

  private void queue(CUDA_MEMCPY2D copy, String operation) {
    run(() -> Driver.check(JCudaDriver.cuMemcpy2DAsync(copy, copying), operation));
  }

  @Override
  public void waitForStream() {
    run(() -> order(computed, computing, copying));
  }

  @Override
  public void letStreamWait() {
    run(() -> order(copied, copying, computing));
  }

  private static void order(Event event, Stream first, Stream second) {
    Driver.check(JCudaDriver.cuEventRecord(event, first), "recording an event");
    Driver.check(JCudaDriver.cuStreamWaitEvent(second, event, 0), "waiting for an event");
  }

  private void run(Runnable work) {
    if (closed) {
      throw new IllegalStateException("these copies have been closed");
    }
    context.accept(work);
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      context.accept(owned::close);
    }
  }
}
