package dev.heddle.llm;

import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.GpuCopies;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.GpuRecording;
import dev.heddle.kernels.GpuStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A stream whose device memory is the process's own. It launches and multiplies nothing. */
@SuppressWarnings("restricted") // device addresses are addresses here
final class HostStream implements GpuStream {
  private final Map<Long, Arena> arenas = new HashMap<>();
  private final List<String> launches = new ArrayList<>();
  private long freeBytes = 1L << 40;
  private int marks;

  /** The names of all kernels, in order. */
  List<String> launches() {
    return launches;
  }

  /** Says from now on that so much memory is free. */
  HostStream withFree(long bytes) {
    freeBytes = bytes;
    return this;
  }

  /** Allocations that have not been given back. */
  int live() {
    return arenas.size();
  }

  static MemorySegment memory(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  @Override
  public long handle() {
    return 1;
  }

  @Override
  public long allocate(long bytes) {
    Arena arena = OwnedArena.open();
    long address = arena.allocate(bytes, 256).address();
    arenas.put(address, arena);
    return address;
  }

  @Override
  public void free(long address) {
    Arena arena = arenas.remove(address);
    if (arena == null) {
      throw new AssertionError("not taken: " + address);
    }
    arena.close();
  }

  @Override
  public long freeBytes() {
    return freeBytes;
  }

  @Override
  public void multiply(GpuMatrix in, GpuMatrix weight, GpuMatrix out, boolean adds) {
    launches.add("multiply");
  }

  /** Every replay is a launch called "replay". */
  @Override
  public GpuRecording record(Runnable work) {
    work.run();
    return new GpuRecording() {
      @Override
      public void replay() {
        launches.add("replay");
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public GpuCopies openCopies(long hostBytes) {
    long host = allocate(hostBytes);
    return new GpuCopies() {
      @Override
      public void toHost(long address, long offset, Rows rows) {
        copy(address, host + offset, rows);
      }

      @Override
      public void toDevice(long offset, long address, Rows rows) {
        copy(host + offset, address, rows);
      }

      @Override
      public void waitForStream() {}

      @Override
      public void letStreamWait() {}

      @Override
      public void close() {
        if (arenas.containsKey(host)) {
          free(host);
        }
      }
    };
  }

  private static void copy(long from, long to, GpuCopies.Rows rows) {
    for (long row = 0; row < rows.count(); row++) {
      long offset = row * rows.pitchBytes();
      memory(to + offset, rows.bytes()).copyFrom(memory(from + offset, rows.bytes()));
    }
  }

  @Override
  public int mark() {
    return marks++;
  }

  @Override
  public long nanosBetween(int from, int to) {
    return (long) to - from;
  }

  @Override
  public void forgetMarks() {
    marks = 0;
  }

  @Override
  public void fill(long address, byte value, long bytes) {
    memory(address, bytes).fill(value);
  }

  @Override
  public void upload(MemorySegment source, long address) {
    memory(address, source.byteSize()).copyFrom(source);
  }

  @Override
  public void download(long address, MemorySegment target) {
    target.copyFrom(memory(address, target.byteSize()));
  }

  @Override
  public void launch(
      KernelSource source, String kernel, KernelGrid grid, KernelParameters parameters) {
    launches.add(kernel);
  }

  @Override
  public boolean has(KernelSource source, String kernel) {
    return true;
  }

  @Override
  public int multiprocessors() {
    return 1;
  }

  @Override
  public void await() {}

  @Override
  public void close() {
    List.copyOf(arenas.keySet()).forEach(this::free);
  }
}
