package dev.heddle.kernels.cuda;

import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuTables;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.cuda.DeviceHandles.Stream;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * The queue of one plan on one lane. Closing gives the plan's memory back in the stream's order;
 * the queue refuses everything then, because a pattern may have kept it.
 */
final class WorkQueue implements GpuQueue, AutoCloseable {
  private final Device device;
  private final Lane lane;
  private final NavigableMap<Long, Long> bytesByAddress = new TreeMap<>();
  private final Releases owned = new Releases();
  private Runnable beforeWaiting = () -> {};
  private boolean closed;

  WorkQueue(Device device, Lane lane) {
    this.device = device;
    this.lane = lane;
  }

  @Override
  public long allocate(long bytes) {
    requireOpen();
    if (bytes < 1) {
      throw new InvalidInputException(
          "%d bytes of device memory cannot be taken; allowed: 1 or more".formatted(bytes));
    }
    long address = device.pool().allocate(bytes, lane.stream());
    owned.add(() -> device.pool().free(address, lane.stream()));
    bytesByAddress.put(address, bytes);
    return address;
  }

  /** Whether {@code bytes} bytes from {@code address} on lie in one allocation of this plan. */
  boolean holds(long address, long bytes) {
    Map.Entry<Long, Long> before = bytesByAddress.floorEntry(address);
    return before != null && address + bytes <= before.getKey() + before.getValue();
  }

  @Override
  public void fill(long address, byte value, long bytes) {
    requireOpen();
    Driver.check(
        JCudaDriver.cuMemsetD8Async(DeviceHandles.pointer(address), value, bytes, lane.stream()),
        "filling device memory");
  }

  @Override
  public void upload(MemorySegment source, long address) {
    requireOpen();
    for (long done = 0; done < source.byteSize(); done += Lane.STAGING_BYTES) {
      long bytes = Math.min(Lane.STAGING_BYTES, source.byteSize() - done);
      PinnedBuffer staging = lane.nextStaging();
      MemorySegment.copy(source, done, staging.await(), 0, bytes);
      staging.copyTo(address + done, bytes, lane.stream());
    }
  }

  @Override
  public void download(long address, MemorySegment target) {
    requireOpen();
    for (long done = 0; done < target.byteSize(); done += Lane.STAGING_BYTES) {
      long bytes = Math.min(Lane.STAGING_BYTES, target.byteSize() - done);
      PinnedBuffer staging = lane.nextStaging();
      staging.await();
      staging.copyFrom(address + done, bytes, lane.stream());
      keepBusy();
      MemorySegment.copy(staging.await(), 0, target, done, bytes);
    }
  }

  /**
   * What is queued the next time that {@link #download} is about to wait, behind the copy that it
   * waits for: the device goes on with it while the host looks at what was copied.
   */
  void beforeWaiting(Runnable work) {
    this.beforeWaiting = work;
  }

  private void keepBusy() {
    Runnable work = beforeWaiting;
    beforeWaiting = () -> {};
    work.run();
  }

  @Override
  public void launch(
      KernelSource source, String kernel, KernelGrid grid, KernelParameters parameters) {
    requireOpen();
    Launch launch =
        new Launch(
            device.module(source).function(kernel, grid.sharedBytes()),
            grid,
            lane.stream().handle());
    int result = device.driver().launch(launch, Launch.lay(parameters, lane.launchMemory()));
    if (result != CUresult.CUDA_SUCCESS) {
      Driver.check(result, "launching kernel '" + kernel + "' with " + grid);
    }
  }

  @Override
  public boolean has(KernelSource source, String kernel) {
    return device.module(source).has(kernel);
  }

  @Override
  public void attend(GpuCall call, GpuTables tables, GpuIndex index) {
    requireOpen();
    if (index.equals(GpuIndex.COMPUTED)) {
      throw new InvalidInputException(
          "the GPU half stores no index, so that its own kernel must compute the attention;"
              + " override GpuKernels.attend, or give the rows");
    }
    SharedKernels.attendRows(call, tables, index, this);
  }

  @Override
  public int multiprocessors() {
    return device.multiprocessors();
  }

  Device device() {
    return device;
  }

  Stream stream() {
    return lane.stream();
  }

  PinnedBuffer nextStaging() {
    return lane.nextStaging();
  }

  @Override
  public void close() {
    closed = true;
    owned.close();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("this queue's plan is over; a queue must not be kept");
    }
  }
}
