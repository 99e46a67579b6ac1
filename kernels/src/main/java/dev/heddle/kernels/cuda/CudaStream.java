package dev.heddle.kernels.cuda;

import dev.heddle.api.InvalidInputException;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.GpuCopies;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.GpuRecording;
import dev.heddle.kernels.GpuStream;
import dev.heddle.kernels.cuda.DeviceHandles.Event;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import jcuda.driver.JCudaDriver;

/** A stream that stays, with the memory that is taken on it. */
final class CudaStream implements GpuStream {
  private final Device device;
  private final Lane lane;
  private final WorkQueue queue;
  private final MatrixMultiplier multiplier;
  private final Set<Long> addresses = new HashSet<>();
  private final List<Event> events = new ArrayList<>();
  private final List<CudaRecording> recordings = new ArrayList<>();
  private final List<CudaCopies> copies = new ArrayList<>();
  private final Releases owned = new Releases();
  private int marks;

  /** Takes over {@code device} and closes it in the end, or at once where this fails. */
  CudaStream(Device device, CublasLt library) {
    this.device = device;
    owned.add(device::close);
    try {
      this.lane = own(Lane::new, Lane::close);
      this.queue = own(() -> new WorkQueue(device, lane), WorkQueue::close);
      this.multiplier =
          own(
              () -> new MatrixMultiplier(library, queue.allocate(MatrixMultiplier.WORKSPACE_BYTES)),
              MatrixMultiplier::close);
      owned.add(() -> run(lane::await));
    } catch (RuntimeException failure) {
      owned.closeAfter(failure);
      throw failure;
    }
  }

  @Override
  public long handle() {
    return lane.stream().handle();
  }

  @Override
  public long allocate(long bytes) {
    if (bytes < 1) {
      throw new InvalidInputException(
          "%d bytes of device memory cannot be taken; allowed: 1 or more".formatted(bytes));
    }
    return device.enter(() -> {
      long address = device.pool().allocate(bytes, lane.stream());
      addresses.add(address);
      return address;
    });
  }

  @Override
  public void free(long address) {
    if (!addresses.remove(address)) {
      throw new InvalidInputException("0x%x is no address that was taken here".formatted(address));
    }
    run(() -> device.pool().free(address, lane.stream()));
  }

  @Override
  public long freeBytes() {
    return device.enter(() -> device.pool().freeBytes());
  }

  @Override
  public void multiply(GpuMatrix in, GpuMatrix weight, GpuMatrix out, boolean adds) {
    run(() -> multiplier.multiply(in, weight, out, adds, handle()));
  }

  @Override
  public GpuRecording record(Runnable work) {
    recordings.removeIf(CudaRecording::isClosed);
    return device.enter(() -> {
      CudaRecording made = CudaRecording.of(lane.stream(), work, this::run);
      recordings.add(made);
      return made;
    });
  }

  @Override
  public GpuCopies openCopies(long hostBytes) {
    copies.removeIf(CudaCopies::isClosed);
    return device.enter(() -> {
      CudaCopies made = new CudaCopies(device.driver(), lane.stream(), hostBytes, this::run);
      copies.add(made);
      return made;
    });
  }

  @Override
  public int mark() {
    run(() -> {
      if (marks == events.size()) {
        Event event = new Event();
        Driver.check(JCudaDriver.cuEventCreate(event, 0), "creating an event");
        events.add(event);
      }
      Driver.check(
          JCudaDriver.cuEventRecord(events.get(marks), lane.stream()), "recording an event");
    });
    return marks++;
  }

  @Override
  public long nanosBetween(int from, int to) {
    return device.enter(() -> {
      float[] milliseconds = new float[1];
      Driver.check(JCudaDriver.cuEventSynchronize(events.get(to)), "waiting for a mark");
      Driver.check(
          JCudaDriver.cuEventElapsedTime(milliseconds, events.get(from), events.get(to)),
          "reading a timer");
      return (long) (milliseconds[0] * 1e6);
    });
  }

  @Override
  public void forgetMarks() {
    marks = 0;
  }

  @Override
  public void fill(long address, byte value, long bytes) {
    run(() -> queue.fill(address, value, bytes));
  }

  @Override
  public void upload(MemorySegment source, long address) {
    run(() -> queue.upload(source, address));
  }

  @Override
  public void download(long address, MemorySegment target) {
    run(() -> queue.download(address, target));
  }

  @Override
  public void launch(
      KernelSource source, String kernel, KernelGrid grid, KernelParameters parameters) {
    run(() -> queue.launch(source, kernel, grid, parameters));
  }

  @Override
  public boolean has(KernelSource source, String kernel) {
    return device.enter(() -> queue.has(source, kernel));
  }

  @Override
  public int multiprocessors() {
    return device.multiprocessors();
  }

  @Override
  public void await() {
    run(lane::await);
  }

  /** Allocations of callers that have not been given back; for tests. */
  int liveAllocations() {
    return addresses.size();
  }

  @Override
  public void close() {
    // The last added runs first: what is queued is waited for before anything goes.
    try (Releases all = new Releases()) {
      all.add(owned::close);
      List.copyOf(addresses).forEach(address -> all.add(() -> free(address)));
      events.forEach(event -> all.add(() -> run(() -> destroy(event))));
      recordings.forEach(recording -> all.add(recording::close));
      copies.forEach(each -> all.add(each::close));
    }
    events.clear();
    recordings.clear();
    copies.clear();
  }

  private static void destroy(Event event) {
    Driver.check(JCudaDriver.cuEventDestroy(event), "destroying an event");
  }

  /** Makes something that is given back in the end, even if leaving the context fails. */
  private <T> T own(Supplier<T> maker, Consumer<T> closing) {
    return device.enter(() -> {
      T made = maker.get();
      owned.add(() -> run(() -> closing.accept(made)));
      return made;
    });
  }

  private void run(Runnable work) {
    Supplier<Boolean> supplier =
        () -> {
          work.run();
          return true;
        };
    device.enter(supplier);
  }
}
