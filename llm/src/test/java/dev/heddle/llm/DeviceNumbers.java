package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.GpuStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Takes numbers to a device and back. */
record DeviceNumbers(GpuStream stream) {
  /** Their device address, which the stream gives back when it is closed. */
  long upload(float[] numbers, ElementType type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate((long) numbers.length * type.bytes(), Long.BYTES);
      type.store(numbers, 0, memory, 0, numbers.length);
      long address = stream.allocate(memory.byteSize());
      stream.upload(memory, address);
      return address;
    }
  }

  float[] download(long address, int count, ElementType type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate((long) count * type.bytes(), Long.BYTES);
      stream.download(address, memory);
      float[] numbers = new float[count];
      type.load(memory, 0, numbers, 0, count);
      return numbers;
    }
  }

  /** The device address of a token's place in its text. */
  long position(int token) {
    long address = stream.allocate(Integer.BYTES);
    stream.upload(MemorySegment.ofArray(new int[] {token}), address);
    return address;
  }
}
