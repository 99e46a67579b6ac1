package dev.heddle.kernels.cuda;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.kernels.DeviceException;
import dev.heddle.kernels.GpuMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Runs a stream on a driver that fails wherever it can, with a cuBLASLt that multiplies on the
 * processor, and says what it found.
 */
@SuppressWarnings("restricted") // looks into the fake library
final class FakeStreamMain {
  private static final int OUT_OF_MEMORY = 2;
  private static final int UNKNOWN = 999;

  private final Path file;
  private final CublasLt library;
  private int problems;

  private FakeStreamMain(Path file) {
    this.file = file;
    this.library = CublasLt.load(file.toString()).orElseThrow();
  }

  public static void main(String[] arguments) {
    JCudaNatives.load();
    new FakeStreamMain(Path.of(arguments[0])).run();
  }

  private void run() {
    FakeDriver.reset();
    useAll();
    final long calls = FakeDriver.calls();
    expect("launches", FakeDriver.launches() == 1, FakeDriver.launches());
    expectNothingHeld("after a clean run");
    for (int code : new int[] {OUT_OF_MEMORY, UNKNOWN}) {
      for (long nth = 1; nth <= calls; nth++) {
        failOnce(nth, code);
      }
    }
    System.out.println(problems + " problems in " + calls + " calls that may fail");
  }

  private void failOnce(long nth, int code) {
    String name = "call %d failing with %d".formatted(nth, code);
    FakeDriver.reset();
    FakeDriver.fail(nth, code, false);
    try {
      useAll();
      expect(name + ": is noticed", code == OUT_OF_MEMORY, "");
    } catch (DeviceException failure) {
      expect(name + ": a message", !String.valueOf(failure.getMessage()).isBlank(), failure);
    } catch (RuntimeException wrongKind) {
      expect(name + ": a typed error", false, wrongKind);
    }
    expectNothingHeld(name);
  }

  private void useAll() {
    float[] numbers = {1, 2, 3, 4, 5, 6};
    float[] products = new float[4];
    CudaStream stream = new CudaStream(Device.open(0), library);
    try (stream) {
      GpuMatrix in = upload(stream, ElementType.BFLOAT16, 2, 3, numbers);
      GpuMatrix weight = upload(stream, ElementType.BFLOAT16, 2, 3, numbers);
      GpuMatrix out = upload(stream, ElementType.FLOAT32, 2, 2, 100, 200, 300, 400);
      int first = stream.mark();
      stream.multiply(in, weight, out, true);
      stream.launch(
          SharedKernels.ROWS,
          "heddle_count_cells",
          KernelGrid.of(1, 1, 1, 32),
          new KernelParameters(200));
      int second = stream.mark();
      stream.download(out.address(), MemorySegment.ofArray(products));
      expect("times", stream.nanosBetween(first, second) >= 0, "");
      stream.forgetMarks();
      expect("marks", stream.mark() == 0, "");
      stream.free(in.address());
      expectRefusal(() -> stream.free(in.address()));
      expect("live", stream.liveAllocations() == 2, stream.liveAllocations());
      expect("free", stream.freeBytes() > 0, "");
      stream.await();
    }
    stream.close();
    expect(
        "products",
        Arrays.equals(products, new float[] {114, 232, 332, 477}),
        Arrays.toString(products));
  }

  private void expectRefusal(Runnable call) {
    try {
      call.run();
      expect("refused", false, "");
    } catch (InvalidInputException expected) {
      expect("message", String.valueOf(expected.getMessage()).contains("taken here"), expected);
    }
  }

  private static GpuMatrix upload(
      CudaStream stream, ElementType type, int rows, int columns, float... numbers) {
    byte[] bytes = new byte[numbers.length * type.bytes()];
    type.store(numbers, 0, MemorySegment.ofArray(bytes), 0, numbers.length);
    long address = stream.allocate(bytes.length);
    stream.upload(MemorySegment.ofArray(bytes), address);
    return GpuMatrix.contiguous(address, type, rows, columns);
  }

  private void expectNothingHeld(String name) {
    expect(name + ": nothing held", FakeDriver.held().isEmpty(), FakeDriver.held());
    expect(name + ": cuBLASLt holds nothing", libraryLive() == 0, libraryLive());
  }

  private long libraryLive() {
    try {
      return (long)
          Linker.nativeLinker()
              .downcallHandle(
                  SymbolLookup.libraryLookup(file, Arena.global())
                      .find("heddle_fake_lt_live")
                      .orElseThrow(),
                  FunctionDescriptor.of(ValueLayout.JAVA_LONG))
              .invokeExact();
    } catch (Throwable failure) {
      throw new AssertionError(failure);
    }
  }

  private void expect(String what, boolean good, Object found) {
    if (!good) {
      problems++;
      System.out.println("PROBLEM " + what + ": " + found);
    }
  }
}
