package dev.heddle.kernels.cuda;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTables;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeddleException;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.api.Options;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.AttentionCases;
import dev.heddle.kernels.DeviceException;
import dev.heddle.kernels.DeviceMemoryException;
import dev.heddle.kernels.GpuTensors;
import dev.heddle.kernels.HeadWork;
import java.io.ByteArrayInputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/**
 * Runs the CUDA backend on a driver that fails wherever it can, and says what it found; a process
 * of its own, because the driver of a process cannot be changed.
 */
@SuppressWarnings("restricted") // reads the fake device's memory
final class FakeDriverMain {
  private static final int OUT_OF_MEMORY = 2;
  private static final int UNKNOWN = 999;
  private static final int ILLEGAL_ADDRESS = 700;
  private static final AttentionShape SHAPE = new AttentionShape(2, 1, 130, 200, 64);
  private static final BlockShape BLOCKS = AttentionLaunch.BLOCKS;

  private static int problems;

  private FakeDriverMain() {}

  public static void main(String[] arguments) {
    expect("CUDA backend", new CudaProvider().availability().toString().contains("Fake"), "");
    cleanRun();
    long openCalls = callsOf(FakeDriverMain::open);
    long allCalls = callsOf(FakeDriverMain::run);
    for (int code : new int[] {OUT_OF_MEMORY, UNKNOWN}) {
      for (long nth = 1; nth <= allCalls; nth++) {
        failOnce(nth, code, nth > openCalls);
      }
    }
    for (long nth = 1; nth <= allCalls; nth++) {
      loseDevice(nth);
    }
    memoryTakenByOthers();
    attentionWhileAnIndexIsAwaited();
    misbehavingHalves();
    System.out.println(problems + " problems in " + allCalls + " calls that may fail");
  }

  private static CudaBackend open() {
    return new CudaBackend(Device.open(0));
  }

  private static void run() {
    try (CudaBackend backend = open()) {
      useAll(backend);
    }
  }

  /**
   * Every way in: host memory, indices, device memory with a caller's stream, copies to the host.
   */
  private static void useAll(CudaBackend backend) {
    AttentionCall call = call();
    List<HeadWork> work = work(new Half());
    backend.attend(call, BLOCKS, work);
    try (GpuTensors tensors = backend.allocate(SHAPE, ElementType.FLOAT16, BLOCKS)) {
      tensors.upload(call.queries(), call.keys(), call.values());
      tensors.attend(work);
    }
    try (Arena arena = Arena.ofConfined()) {
      GpuLayer layer = layer(arena);
      backend.attend(layer, work, 0);
      MemorySegment keys = MemorySegment.ofAddress(layer.keys().address());
      keys.reinterpret(200 * 80 * 2).setAtIndex(ValueLayout.JAVA_SHORT, 80 * 199 + 63, (short) 77);
      short last =
          backend
              .download(layer.keys(), List.of(0), 0, arena)
              .memory()
              .getAtIndex(ValueLayout.JAVA_SHORT, 64 * 199 + 63);
      expect("last number of a strided head", last == 77, last);
    }
  }

  private static void cleanRun() {
    FakeDriver.reset();
    try (CudaBackend backend = open()) {
      useAll(backend);
      expect("live allocations", backend.pool().liveAllocations() == 0, "");
      Thread.currentThread().interrupt();
      useAll(backend);
      expect("the interrupt is kept", Thread.interrupted(), "");
      expect("launches", FakeDriver.launches() > 0, FakeDriver.launches());
    }
    expectNothingHeld("after a clean run");
  }

  private static long callsOf(Runnable work) {
    FakeDriver.reset();
    work.run();
    return FakeDriver.calls();
  }

  private static long callsOf(java.util.function.Supplier<CudaBackend> opening) {
    FakeDriver.reset();
    try (CudaBackend backend = opening.get()) {
      expect("opened", backend.pool().liveAllocations() == 0, "");
      return FakeDriver.calls();
    }
  }

  /** One call fails: a typed error, nothing held, and where the backend was open it goes on. */
  private static void failOnce(long nth, int code, boolean mayGoOn) {
    String name = "call %d failing with %d".formatted(nth, code);
    FakeDriver.reset();
    FakeDriver.fail(nth, code, false);
    boolean failed = false;
    try (CudaBackend backend = open()) {
      try {
        useAll(backend);
      } catch (DeviceException failure) {
        failed = true;
        expectGoodMessage(name, failure);
        expect(name + ": the next call works", mayGoOn, "");
        useAll(backend);
      }
    } catch (DeviceException failure) {
      expect(name + ": failed twice", !failed, failure);
      failed = true;
      expectGoodMessage(name, failure);
    } catch (RuntimeException wrongKind) {
      expect(name + ": a typed error", false, wrongKind);
    }
    // Out of memory may be mended by a second try, which makes further calls.
    expect(name + ": is noticed", failed || code == OUT_OF_MEMORY, "");
    expectNothingHeld(name);
  }

  /** From one call on all fail, as after an illegal access. */
  private static void loseDevice(long nth) {
    String name = "device lost at call " + nth;
    FakeDriver.reset();
    FakeDriver.fail(nth, ILLEGAL_ADDRESS, true);
    try (CudaBackend backend = open()) {
      useAll(backend);
    } catch (DeviceException failure) {
      expect(name + ": remedy", failure.toString().contains("start a new one"), failure);
    } catch (RuntimeException wrongKind) {
      expect(name + ": a typed error", false, wrongKind);
    }
    FakeDriver.reset();
    expectNothingHeld(name);
    run();
  }

  /** Memory is there when the plan is checked and gone when it is taken. */
  private static void memoryTakenByOthers() {
    FakeDriver.reset();
    try (CudaBackend backend = open()) {
      Half taking = new Half();
      taking.duringIndex =
          queue -> {
            FakeDriver.memory(0);
            queue.allocate(1 << 20);
          };
      try {
        backend.attend(call(), BLOCKS, work(taking));
        expect("memory taken by others: refused", false, "");
      } catch (DeviceMemoryException refused) {
        System.out.println(refused.getMessage());
        expect("needed bytes", refused.neededBytes() == 1 << 20, refused.neededBytes());
      }
      expect("live allocations", backend.pool().liveAllocations() == 0, "");
      FakeDriver.reset();
      useAll(backend);
    }
    expectNothingHeld("after memory was taken by others");
  }

  /** The dense heads' launch is queued before the host waits for what the other head's index is. */
  private static void attentionWhileAnIndexIsAwaited() {
    FakeDriver.reset();
    try (CudaBackend backend = open()) {
      Half half = new Half();
      long[] launches = new long[1];
      half.duringIndex = queue -> launches[0] = FakeDriver.launches();
      BlockIndex dense = BlockIndex.dense(SHAPE, BLOCKS);
      HeadWork sparse = new HeadWork.OnDevice(half, Options.defaults(List.of()));
      backend.attend(call(), BLOCKS, List.of(sparse, new HeadWork.Indexed(List.of(dense))));
      expect("launches, dense and index", launches[0] == 2, launches[0]);
    }
    expectNothingHeld("after attention while an index is awaited");
  }

  private static void misbehavingHalves() {
    FakeDriver.reset();
    try (CudaBackend backend = open()) {
      Half throwing = new Half();
      throwing.duringIndex =
          queue -> {
            throw new IllegalStateException("out of ideas");
          };
      expectRefusal(backend, throwing, "out of ideas");
      Half[] keeping = {new Half()};
      GpuQueue[] kept = new GpuQueue[1];
      keeping[0].duringIndex = queue -> kept[0] = queue;
      backend.attend(call(), BLOCKS, work(keeping[0]));
      Half late = new Half();
      late.duringIndex = queue -> kept[0].allocate(1);
      expectRefusal(backend, late, "this queue's plan is over");
      Half nothing = new Half();
      nothing.duringIndex = queue -> queue.allocate(0);
      expectRefusal(backend, nothing, "0 bytes of device memory cannot be taken");
      Half closing = new Half();
      Runnable close = backend::close;
      closing.duringIndex = queue -> close.run();
      expectRefusal(backend, closing, "cannot be closed from inside a call");
      Half wild = new Half();
      wild.index = Optional.of(new GpuIndex(8, 8, 8, 8));
      expectRefusal(backend, wild, "whose blockOffsets (40 bytes at 0x8) are not memory");
      Half shared = new Half();
      shared.attends = false;
      backend.attend(call(), BLOCKS, work(shared));
      shared.index = Optional.of(GpuIndex.COMPUTED);
      expectRefusal(backend, shared, "the GPU half stores no index");
      Half negative = new Half();
      negative.scratchBytes = -1;
      expectRefusal(backend, negative, "asks for -1 bytes");
      GpuTensor foreign = GpuTensor.contiguous(256, ElementType.FLOAT16, 2, 130, 64);
      expectRefusal(
          () -> backend.download(foreign, List.of(0), 0, Arena.ofAuto()),
          "the address of tensor, 0x100, is in no memory that the device knows");
      expect("live allocations", backend.pool().liveAllocations() == 0, "");
      useAll(backend);
    }
    expectNothingHeld("after misbehaving GPU halves");
  }

  private static void expectRefusal(CudaBackend backend, Half half, String message) {
    expectRefusal(() -> backend.attend(call(), BLOCKS, work(half)), message);
  }

  private static void expectRefusal(Runnable work, String message) {
    try {
      work.run();
      expect("refusal: " + message, false, "nothing was thrown");
    } catch (HeddleException | IllegalStateException refused) {
      String actual = String.valueOf(refused.getMessage());
      System.out.println(actual);
      expect("refusal: " + message, actual.contains(message), actual);
    }
  }

  private static void expectGoodMessage(String name, DeviceException failure) {
    String message = String.valueOf(failure.getMessage());
    boolean good =
        failure instanceof DeviceMemoryException
            || message.contains(" failed: CUDA_ERROR_")
            || message.contains("kernel image");
    expect(name + ": message", good, message);
  }

  private static void expectNothingHeld(String when) {
    expect(when + ": nothing is held", FakeDriver.held().isEmpty(), FakeDriver.held());
  }

  private static void expect(String what, boolean condition, Object found) {
    if (!condition) {
      problems++;
      System.out.println("PROBLEM " + what + ": " + found);
      if (found instanceof Throwable failure) {
        failure.printStackTrace(System.out);
      }
    }
  }

  private static AttentionCall call() {
    return new AttentionCases(1).call(SHAPE, ElementType.FLOAT16, AttentionCases.dense(SHAPE));
  }

  private static List<HeadWork> work(Half half) {
    Options none = Options.defaults(List.of());
    return List.of(new HeadWork.OnDevice(half, none), new HeadWork.OnDevice(half, none));
  }

  /** The fake device's memory is this process's own; K and V have gaps after their rows. */
  private static GpuLayer layer(Arena arena) {
    long q = arena.allocate(2 * 130 * 64 * 2, 256).address();
    long k = arena.allocate(200 * 80 * 2, 256).address();
    GpuTensor queries = GpuTensor.contiguous(q, ElementType.FLOAT16, 2, 130, 64);
    GpuTensor keys = new GpuTensor(k, ElementType.FLOAT16, 1, 200, 64, 200 * 80, 80);
    return new GpuLayer(
        queries, keys, keys, queries, 0, 0.125f, BLOCKS, List.of(GpuSequence.whole(130, 200)));
  }

  /** A GPU half that takes memory, copies both ways and launches. */
  private static final class Half implements GpuKernels {
    private static final KernelSource SOURCE =
        new KernelSource("half", () -> Optional.of(new ByteArrayInputStream(image())));

    private java.util.function.Consumer<GpuQueue> duringIndex = queue -> {};
    private Optional<GpuIndex> index = Optional.empty();
    private long scratchBytes = 4096;
    private boolean attends = true;

    private static byte[] image() {
      ByteBuffer image = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
      return image.putInt(0xBA55ED50).putShort((short) 1).putShort((short) 16).putLong(16).array();
    }

    @Override
    public KernelSource source() {
      return SOURCE;
    }

    @Override
    public boolean readsAll(AttentionShape shape, Options options) {
      return false;
    }

    @Override
    public long scratchBytes(GpuCall call) {
      return scratchBytes;
    }

    @Override
    public GpuIndex index(GpuCall call, GpuTables tables, GpuQueue queue) {
      long offsets = queue.allocate((call.indexRows() + 1) * Long.BYTES);
      queue.fill(offsets, (byte) 0, (call.indexRows() + 1) * Long.BYTES);
      long entries = queue.allocate(64);
      queue.upload(MemorySegment.ofArray(new int[16]), entries);
      queue.download(offsets, MemorySegment.ofArray(new long[1]));
      queue.launch(SOURCE, "index", KernelGrid.of(1, 1, 1, 32), new KernelParameters(8));
      duringIndex.accept(queue);
      return index.orElse(new GpuIndex(offsets, entries, offsets, entries));
    }

    @Override
    public void attend(GpuCall call, GpuTables tables, GpuIndex index, GpuQueue queue) {
      if (!attends) {
        GpuKernels.super.attend(call, tables, index, queue);
        return;
      }
      KernelGrid grid = new KernelGrid(1, 1, 1, 32, 1, 60 << 10);
      queue.launch(SOURCE, "attend", grid, new KernelParameters(8));
    }
  }
}
