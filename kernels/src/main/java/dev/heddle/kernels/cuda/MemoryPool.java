package dev.heddle.kernels.cuda;

import dev.heddle.kernels.DeviceMemoryException;
import dev.heddle.kernels.cuda.DeviceHandles.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicLong;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * Device memory that is taken and given back in the order of a stream, so that neither waits for
 * the device. A pool of Heddle's own: what it holds is what Heddle holds.
 *
 * <p>Needs the device's context to be current. Safe for use by several threads.
 */
final class MemoryPool implements AutoCloseable {
  /**
   * Memory that stays with the process between calls: taking it from the system anew costs
   * milliseconds per call. What is beyond this goes back when a stream is waited for.
   */
  private static final long KEPT_BYTES = 4L << 30;

  // CUmemPool_attribute
  private static final int RELEASE_THRESHOLD = 4;
  private static final int RESERVED_NOW = 5;
  private static final int USED_NOW = 7;
  private static final int USED_MOST = 8;

  // CUmemPoolProps: allocType, handleTypes, location {type, id}, then 72 bytes of zeros
  private static final long PROPERTIES_BYTES = 88;
  private static final int PINNED = 1;
  private static final int ON_DEVICE = 1;

  private final DriverLibrary driver;
  private final long pool;
  private final AtomicLong live = new AtomicLong();

  private MemoryPool(DriverLibrary driver, long pool) {
    this.driver = driver;
    this.pool = pool;
  }

  static MemoryPool create(DriverLibrary driver, int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment properties = arena.allocate(PROPERTIES_BYTES, Long.BYTES);
      properties.set(ValueLayout.JAVA_INT, 0, PINNED);
      properties.set(ValueLayout.JAVA_INT, 8, ON_DEVICE);
      properties.set(ValueLayout.JAVA_INT, 12, device);
      MemorySegment handle = arena.allocate(ValueLayout.JAVA_LONG);
      Driver.check(driver.createPool(handle, properties), "creating a memory pool");
      MemoryPool pool = new MemoryPool(driver, handle.get(ValueLayout.JAVA_LONG, 0));
      try {
        pool.set(RELEASE_THRESHOLD, KEPT_BYTES);
      } catch (RuntimeException failure) {
        pool.closeAfter(failure);
        throw failure;
      }
      return pool;
    }
  }

  /**
   * Takes memory that may be used by what is queued on {@code stream} from now on.
   *
   * @return its address, a multiple of 256
   * @throws DeviceMemoryException if there is not enough; nothing is held then
   */
  long allocate(long bytes, Stream stream) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(ValueLayout.JAVA_LONG);
      int result = driver.allocate(address, bytes, pool, stream.handle());
      if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
        // What other calls gave back may still be kept in pieces that do not fit.
        Driver.check(JCudaDriver.cuStreamSynchronize(stream), "waiting for the device");
        Driver.check(driver.trimPool(pool, 0), "giving memory back");
        result = driver.allocate(address, bytes, pool, stream.handle());
      }
      if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
        throw new DeviceMemoryException("a part of the call", bytes, freeBytes());
      }
      Driver.check(result, "taking " + bytes + " bytes of device memory");
      live.incrementAndGet();
      return address.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /** Gives memory back once what is queued on {@code stream} has run. */
  void free(long address, Stream stream) {
    Driver.check(driver.free(address, stream.handle()), "giving device memory back");
    live.decrementAndGet();
  }

  /** Allocations that have not been given back. */
  long liveAllocations() {
    return live.get();
  }

  /** Bytes in use by queued or running work, as the driver counts them. */
  long usedBytes() {
    return attribute(USED_NOW);
  }

  /** The most that was in use at once since {@link #forgetMost}, as the driver counts. */
  long mostUsedBytes() {
    return attribute(USED_MOST);
  }

  /** Starts {@link #mostUsedBytes} anew. */
  void forgetMost() {
    set(USED_MOST, 0);
  }

  /**
   * Whether a call can take {@code bytes} bytes of what this pool keeps. Asking the device how much
   * it has free besides takes some 60 µs.
   */
  boolean keeps(long bytes) {
    return bytes <= unusedBytes();
  }

  /** Bytes that a call can take: what the device has free and what this pool keeps unused. */
  long freeBytes() {
    long[] free = new long[1];
    long[] total = new long[1];
    Driver.check(JCudaDriver.cuMemGetInfo(free, total), "asking for free device memory");
    return free[0] + unusedBytes();
  }

  private long unusedBytes() {
    return Math.max(0, attribute(RESERVED_NOW) - attribute(USED_NOW));
  }

  @Override
  public void close() {
    Driver.check(driver.destroyPool(pool), "closing a memory pool");
  }

  private void closeAfter(RuntimeException failure) {
    Releases owned = new Releases();
    owned.add(this::close);
    owned.closeAfter(failure);
  }

  private void set(int attribute, long value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment holder = arena.allocateFrom(ValueLayout.JAVA_LONG, value);
      Driver.check(driver.setPoolAttribute(pool, attribute, holder), "setting up a memory pool");
    }
  }

  private long attribute(int attribute) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
      Driver.check(driver.poolAttribute(pool, attribute, value), "asking a memory pool");
      return value.get(ValueLayout.JAVA_LONG, 0);
    }
  }
}
