package com.example.library;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A stand-in for the library with which a program manages its device memory: a stream and memory of
 * the CUDA driver's, on the first device and its primary context. For the thread that makes it.
 */
@SuppressWarnings("restricted") // calls native code
final class DeviceMemory implements AutoCloseable {
  private final Arena arena = Arena.ofConfined();
  private final SymbolLookup driver = SymbolLookup.libraryLookup("libcuda.so.1", arena);
  private final MemorySegment result = arena.allocate(ValueLayout.JAVA_LONG);
  private final List<Long> addresses = new ArrayList<>();
  private final long stream;

  DeviceMemory() {
    call("cuInit", 0);
    call("cuDevicePrimaryCtxRetain", result, 0);
    call("cuCtxPushCurrent_v2", result.get(ValueLayout.JAVA_LONG, 0));
    call("cuStreamCreate", result, 0);
    stream = result.get(ValueLayout.JAVA_LONG, 0);
  }

  /** The CUstream. */
  long stream() {
    return stream;
  }

  long allocate(long bytes) {
    call("cuMemAlloc_v2", result, bytes);
    addresses.add(result.get(ValueLayout.JAVA_LONG, 0));
    return addresses.getLast();
  }

  /** Queues a copy to the device; returns the address there. */
  long copyIn(MemorySegment host) {
    long address = allocate(host.byteSize());
    call("cuMemcpyHtoDAsync_v2", address, host, host.byteSize(), stream);
    return address;
  }

  /** Copies back, after all that is queued. */
  void copyOut(long address, MemorySegment host) {
    call("cuMemcpyDtoHAsync_v2", host, address, host.byteSize(), stream);
    call("cuStreamSynchronize", stream);
  }

  @Override
  public void close() {
    addresses.forEach(address -> call("cuMemFree_v2", address));
    call("cuStreamDestroy_v2", stream);
    call("cuCtxPopCurrent_v2", result);
    call("cuDevicePrimaryCtxRelease_v2", 0);
    arena.close();
  }

  private void call(String function, Object... arguments) {
    MemoryLayout[] types =
        Arrays.stream(arguments)
            .map(argument ->
                switch (argument) {
                  case MemorySegment _ -> ValueLayout.ADDRESS;
                  case Long _ -> ValueLayout.JAVA_LONG;
                  default -> ValueLayout.JAVA_INT;
                })
            .toArray(MemoryLayout[]::new);
    try {
      MemorySegment symbol = driver.find(function).orElseThrow();
      FunctionDescriptor form = FunctionDescriptor.of(ValueLayout.JAVA_INT, types);
      int status =
          (int) Linker.nativeLinker().downcallHandle(symbol, form).invokeWithArguments(arguments);
      if (status != 0) {
        throw new IllegalStateException(function + " failed with error " + status);
      }
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new IllegalStateException(function, impossible);
    }
  }
}
