package dev.heddle.runtime;

import dev.heddle.api.ElementType;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A caller that has device memory and a stream of its own, with nothing of Heddle in it: the CUDA
 * driver by hand. For the thread that makes it.
 */
@SuppressWarnings("restricted") // calls native code
final class CallerDevice implements AutoCloseable {
  private static final long ALIGNMENT = 256;

  private final Arena arena = Arena.ofConfined();
  private final SymbolLookup symbols = SymbolLookup.libraryLookup("libcuda.so.1", arena);
  private final MemorySegment result = arena.allocate(ValueLayout.JAVA_LONG, 2);
  private final long stream;
  private final long memory;
  private final long bytes;
  private long taken;

  /** Takes {@code bytes} of device memory, and makes a stream. */
  CallerDevice(long bytes) {
    this.bytes = bytes;
    call("cuInit", 0);
    call("cuDevicePrimaryCtxRetain", result, 0);
    call("cuCtxPushCurrent_v2", result.get(ValueLayout.JAVA_LONG, 0));
    call("cuStreamCreate", result, 1);
    this.stream = result.get(ValueLayout.JAVA_LONG, 0);
    this.memory = allocate(bytes);
  }

  long stream() {
    return stream;
  }

  /** Takes device memory beside its own. */
  long allocate(long size) {
    call("cuMemAlloc_v2", result, size);
    return result.get(ValueLayout.JAVA_LONG, 0);
  }

  void free(long address) {
    call("cuMemFree_v2", address);
  }

  long freeBytes() {
    call("cuMemGetInfo_v2", result, result.asSlice(8));
    return result.get(ValueLayout.JAVA_LONG, 0);
  }

  /** Begins anew with its own memory. */
  void forgetAll() {
    taken = 0;
  }

  /** Queues the copy of all of {@code host}'s memory; strides stay what they are. */
  GpuTensor upload(HeadTensor host) {
    long address = take(host.memory().byteSize());
    call("cuMemcpyHtoDAsync_v2", address, host.memory(), host.memory().byteSize(), stream);
    return new GpuTensor(
        address,
        host.type(),
        host.heads(),
        host.tokens(),
        host.headDim(),
        host.headStride(),
        host.tokenStride());
  }

  /** Own memory for float32 {@code [heads][tokens]}. */
  long takeLogSumExp(HeadTensor out) {
    return take((long) out.heads() * out.tokens() * ElementType.FLOAT32.bytes());
  }

  /** Queues the copy of what begins at {@code address} to {@code target}. */
  void download(long address, MemorySegment target) {
    call("cuMemcpyDtoHAsync_v2", target, address, target.byteSize(), stream);
  }

  /** Waits for what is queued. */
  void await() {
    call("cuStreamSynchronize", stream);
  }

  private long take(long size) {
    long address = memory + taken;
    taken += Math.ceilDiv(size, ALIGNMENT) * ALIGNMENT;
    if (taken > bytes) {
      throw new AssertionError("the test's own device memory of %d bytes is full".formatted(bytes));
    }
    return address;
  }

  @Override
  public void close() {
    call("cuMemFree_v2", memory);
    call("cuStreamDestroy_v2", stream);
    call("cuCtxPopCurrent_v2", result);
    call("cuDevicePrimaryCtxRelease_v2", 0);
    arena.close();
  }

  private void call(String name, Object... arguments) {
    MemoryLayout[] layouts =
        Arrays.stream(arguments)
            .map(argument ->
                switch (argument) {
                  case MemorySegment _ -> ValueLayout.ADDRESS;
                  case Long _ -> ValueLayout.JAVA_LONG;
                  default -> ValueLayout.JAVA_INT;
                })
            .toArray(MemoryLayout[]::new);
    try {
      int status =
          (int)
              Linker.nativeLinker()
                  .downcallHandle(
                      symbols.find(name).orElseThrow(),
                      FunctionDescriptor.of(ValueLayout.JAVA_INT, layouts))
                  .invokeWithArguments(arguments);
      if (status != 0) {
        throw new AssertionError(name + " failed: " + status);
      }
    } catch (Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new AssertionError(name, impossible);
    }
  }
}
