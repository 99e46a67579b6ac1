package dev.heddle.kernels.cuda;

import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One launch, as the driver takes it.
 *
 * @param function the handle of the kernel
 * @param stream the handle of the stream
 */
record Launch(long function, KernelGrid grid, long stream) {
  /** Where the struct begins, behind the driver's array of one pointer to it. */
  private static final long STRUCT_AT = 16;

  /** Memory for {@link #lay}. */
  static final long BYTES = STRUCT_AT + KernelParameters.MOST_BYTES;

  /** Lays a kernel's only parameter out, and returns the array of pointers to parameters. */
  static MemorySegment lay(KernelParameters parameters, MemorySegment memory) {
    byte[] bytes = parameters.toBytes();
    MemorySegment struct = memory.asSlice(STRUCT_AT, bytes.length);
    struct.copyFrom(MemorySegment.ofArray(bytes));
    memory.set(ValueLayout.JAVA_LONG, 0, struct.address());
    return memory;
  }
}
