package dev.heddle.kernels.cuda;

import dev.heddle.api.KernelGrid;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The functions of {@code libcuda.so.1} that JCuda 12.6.0 lacks (attributes of memory pools),
 * cannot call with a handle that it did not make (streams of others), or that must run before JCuda
 * may be loaded at all; and the one that is called most. Each returns the driver's result code.
 */
@SuppressWarnings("restricted") // calling native code is what this class is for
final class DriverLibrary {
  private static final String FILE = "libcuda.so.1";
  private static final MemoryLayout POINTER = ValueLayout.ADDRESS;
  private static final MemoryLayout HANDLE = ValueLayout.JAVA_LONG;
  private static final MemoryLayout INT = ValueLayout.JAVA_INT;

  private static final MemoryLayout[] LAUNCH = {
    HANDLE, INT, INT, INT, INT, INT, INT, INT, HANDLE, POINTER, POINTER
  };

  private final SymbolLookup symbols;
  private final Map<String, MethodHandle> functions = new ConcurrentHashMap<>();

  private DriverLibrary(SymbolLookup symbols) {
    this.symbols = symbols;
  }

  /** The driver's library, or nothing where no driver is installed. It stays loaded. */
  static Optional<DriverLibrary> find() {
    try {
      return Optional.of(new DriverLibrary(SymbolLookup.libraryLookup(FILE, Arena.global())));
    } catch (IllegalArgumentException notThere) {
      return Optional.empty();
    }
  }

  int initialise() {
    return call(function("cuInit", INT), 0);
  }

  /**
   * The newest CUDA version that the driver knows, 1000 · major + 10 · minor, to {@code target}.
   */
  int version(MemorySegment target) {
    return call(function("cuDriverGetVersion", POINTER), target);
  }

  int deviceCount(MemorySegment target) {
    return call(function("cuDeviceGetCount", POINTER), target);
  }

  int createPool(MemorySegment target, MemorySegment properties) {
    return call(function("cuMemPoolCreate", POINTER, POINTER), target, properties);
  }

  int destroyPool(long pool) {
    return call(function("cuMemPoolDestroy", HANDLE), pool);
  }

  int trimPool(long pool, long keepBytes) {
    return call(function("cuMemPoolTrimTo", HANDLE, HANDLE), pool, keepBytes);
  }

  int setPoolAttribute(long pool, int attribute, MemorySegment value) {
    return call(function("cuMemPoolSetAttribute", HANDLE, INT, POINTER), pool, attribute, value);
  }

  int poolAttribute(long pool, int attribute, MemorySegment target) {
    MethodHandle get = function("cuMemPoolGetAttribute", HANDLE, INT, POINTER);
    return call(() -> (int) get.invokeExact(pool, attribute, target));
  }

  int allocate(MemorySegment target, long bytes, long pool, long stream) {
    MethodHandle allocate = function("cuMemAllocFromPoolAsync", POINTER, HANDLE, HANDLE, HANDLE);
    return call(() -> (int) allocate.invokeExact(target, bytes, pool, stream));
  }

  int free(long address, long stream) {
    MethodHandle free = function("cuMemFreeAsync", HANDLE, HANDLE);
    return call(() -> (int) free.invokeExact(address, stream));
  }

  /**
   * Launches a kernel.
   *
   * @param parameters the array of pointers to parameters
   */
  int launch(Launch launch, MemorySegment parameters) {
    MethodHandle start = function("cuLaunchKernel", LAUNCH);
    KernelGrid grid = launch.grid();
    return call(() ->
        (int)
            start.invokeExact(
                launch.function(),
                grid.blocksX(),
                grid.blocksY(),
                grid.blocksZ(),
                grid.threadsX(),
                grid.threadsY(),
                1,
                grid.sharedBytes(),
                launch.stream(),
                parameters,
                MemorySegment.NULL));
  }

  /** Pinned memory; JCuda's own function takes no more than 2 GiB. */
  int allocateHost(MemorySegment target, long bytes) {
    return call(function("cuMemHostAlloc", POINTER, HANDLE, INT), target, bytes, 0);
  }

  int freeHost(long address) {
    return call(function("cuMemFreeHost", HANDLE), address);
  }

  int recordEvent(long event, long stream) {
    MethodHandle record = function("cuEventRecord", HANDLE, HANDLE);
    return call(() -> (int) record.invokeExact(event, stream));
  }

  int waitForEvent(long stream, long event) {
    MethodHandle await = function("cuStreamWaitEvent", HANDLE, HANDLE, INT);
    return call(() -> (int) await.invokeExact(stream, event, 0));
  }

  /** See {@code cuTensorMapEncodeTiled}. */
  int encodeTensorMap(
      MemorySegment target, TensorMaps.Form form, long address, TensorMaps.Sizes sizes) {
    MethodHandle encode =
        function(
            "cuTensorMapEncodeTiled",
            POINTER,
            INT,
            INT,
            HANDLE,
            POINTER,
            POINTER,
            POINTER,
            POINTER,
            INT,
            INT,
            INT,
            INT);
    return call(() ->
        (int)
            encode.invokeExact(
                target,
                form.elementType(),
                form.rank(),
                address,
                sizes.dimensions(),
                sizes.strides(),
                sizes.box(),
                sizes.steps(),
                form.interleave(),
                form.swizzle(),
                form.cachePromotion(),
                form.fill()));
  }

  /** Whether the driver makes tensor maps: CUDA 12.0 or later. */
  boolean hasTensorMaps() {
    return symbols.find("cuTensorMapEncodeTiled").isPresent();
  }

  private MethodHandle function(String name, MemoryLayout... parameters) {
    return functions.computeIfAbsent(
        name,
        key ->
            Linker.nativeLinker()
                .downcallHandle(
                    symbols
                        .find(key)
                        .orElseThrow(
                            () -> new UnsatisfiedLinkError(FILE + " has no function " + key)),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters)));
  }

  /** For what is called seldom: boxes arguments. */
  private static int call(MethodHandle function, Object... arguments) {
    return call(() -> (int) function.invokeWithArguments(arguments));
  }

  /** One call of a function of the driver. */
  @FunctionalInterface
  private interface DriverCall {
    int result() throws Throwable;
  }

  private static int call(DriverCall function) {
    try {
      return function.result();
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) { // C throws nothing
      throw new IllegalStateException(impossible);
    }
  }
}
