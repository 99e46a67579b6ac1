package dev.heddle.kernels.cuda;

import dev.heddle.api.KernelSource;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Availability.Refused;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.Supplier;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;

/**
 * One GPU and all that Heddle holds on it: the primary context (shared with every other library of
 * the process), a memory pool, loaded kernel images, and lanes that calls borrow.
 *
 * <p>Safe for use by several threads: calls run beside each other, each on a lane of its own. The
 * context is current only while a call runs here; the thread's own is put back after it.
 */
final class Device implements AutoCloseable {
  private static final int HOPPER = 90;

  private final CUdevice device;
  private final CUcontext context = new CUcontext();
  private final DriverLibrary driver;
  private final MemoryPool pool;
  private final int computeCapability;
  private final int multiprocessors;
  private final boolean hopperKernels;
  private final KernelCompiler compiler;
  private final Map<KernelSource, KernelModule> modules = new ConcurrentHashMap<>();
  private final Deque<Lane> idleLanes = new ArrayDeque<>();
  private final ReentrantReadWriteLock use = new ReentrantReadWriteLock();
  private final Releases owned = new Releases();
  private boolean closed;

  private Device(int ordinal, DriverLibrary driver, boolean portable) {
    this.driver = driver;
    this.device = ThisMachine.device(ordinal);
    this.computeCapability = ThisMachine.computeCapability(device);
    this.multiprocessors =
        ThisMachine.attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    this.compiler =
        KernelCompiler.ofProcess(
            new KernelCompiler.Target(computeCapability, new ThisMachine().driverVersion()));
    this.hopperKernels = !portable && computeCapability == HOPPER && driver.hasTensorMaps();
    Driver.check(
        JCudaDriver.cuDevicePrimaryCtxRetain(context, device), "opening the device's context");
    owned.add(this::releaseContext);
    try {
      this.pool = inContext(() -> openPool(ordinal));
    } catch (RuntimeException failure) {
      owned.closeAfter(failure);
      throw failure;
    }
  }

  private MemoryPool openPool(int ordinal) {
    MemoryPool opened = MemoryPool.create(driver, ordinal);
    owned.add(() ->
        inContext(() -> {
          release(opened);
          return true;
        }));
    return opened;
  }

  /** Opens device {@code ordinal} of those that the process may use. JCuda must be loaded. */
  static Device open(int ordinal) {
    return new Device(ordinal, DriverLibrary.find().orElseThrow(), false);
  }

  /** Likewise, but leaves alone the kernels that only compute capability 9.0 has. */
  static Device openPortable(int ordinal) {
    return new Device(ordinal, DriverLibrary.find().orElseThrow(), true);
  }

  /** Lets one call run with the context current and a lane of its own. */
  <T> T call(Function<Lane, T> call) {
    return enter(() -> {
      Lane lane = borrow();
      try {
        return call.apply(lane);
      } finally {
        giveBack(lane);
      }
    });
  }

  /** Lets {@code work} run with the context current. */
  <T> T enter(Supplier<T> work) {
    use.readLock().lock();
    try {
      requireOpen();
      return inContext(work);
    } finally {
      use.readLock().unlock();
    }
  }

  /**
   * The loaded kernels of {@code source}, compiled if they are text. The context must be current.
   * Threads that want the same ones wait for the first of them.
   */
  KernelModule module(KernelSource source) {
    return modules.computeIfAbsent(source, this::load);
  }

  private KernelModule load(KernelSource source) {
    byte[] image = source.isText() ? compiler.compile(source) : KernelImage.read(source);
    return new KernelModule(source.name(), image, computeCapability);
  }

  /** Whether {@link #module} can have {@code source}. Compiles nothing. */
  Availability availability(KernelSource source) {
    if (source.isText()) {
      return compiler.availability(source);
    }
    return source.isPresent()
        ? new Available("image '" + source.name() + "'")
        : new Refused(
            "kernel image '" + source.name() + "' is not part of this build",
            "build where nvcc is found");
  }

  KernelCompiler compiler() {
    return compiler;
  }

  MemoryPool pool() {
    return pool;
  }

  DriverLibrary driver() {
    return driver;
  }

  /** Whether the device runs the kernels for compute capability 9.0, the only one that can. */
  boolean runsHopperKernels() {
    return hopperKernels;
  }

  int multiprocessors() {
    return multiprocessors;
  }

  int computeCapability() {
    return computeCapability;
  }

  /**
   * Waits for what is queued, then gives everything back, as far as a device that has failed lets
   * it. Closing again does nothing.
   *
   * @throws IllegalStateException if a call of this thread is under way: it would wait for itself
   * @throws DeviceException if work that is still queued fails, or something cannot be given back
   */
  @Override
  public void close() {
    if (use.getReadHoldCount() > 0) {
      throw new IllegalStateException("this CUDA backend cannot be closed from inside a call");
    }
    use.writeLock().lock();
    try {
      closed = true;
      owned.close();
    } finally {
      use.writeLock().unlock();
    }
  }

  /** Nobody else is here: lanes and modules need no lock. */
  private void release(MemoryPool opened) {
    try (Releases all = new Releases()) {
      all.add(opened::close);
      modules.values().forEach(module -> all.add(module::close));
      idleLanes.forEach(lane -> all.add(lane::close));
    }
  }

  private void releaseContext() {
    Driver.check(JCudaDriver.cuDevicePrimaryCtxRelease(device), "closing the device's context");
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("this CUDA backend has been closed");
    }
  }

  private Lane borrow() {
    synchronized (idleLanes) {
      Lane idle = idleLanes.poll();
      if (idle != null) {
        return idle;
      }
    }
    return new Lane();
  }

  private void giveBack(Lane lane) {
    synchronized (idleLanes) {
      idleLanes.push(lane);
    }
  }

  private <T> T inContext(Supplier<T> work) {
    Driver.check(JCudaDriver.cuCtxPushCurrent(context), "entering the device's context");
    try (Releases leaving = new Releases()) {
      leaving.add(Device::leaveContext);
      return work.get();
    }
  }

  private static void leaveContext() {
    Driver.check(JCudaDriver.cuCtxPopCurrent(new CUcontext()), "leaving the device's context");
  }
}
