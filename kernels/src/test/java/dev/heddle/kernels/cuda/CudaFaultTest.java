package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.AttentionCases;
import dev.heddle.kernels.DeviceException;
import dev.heddle.kernels.DeviceMemoryException;
import dev.heddle.kernels.PlainTypedAttention;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Whatever goes wrong: a clear error or right work, and the next call works. */
class CudaFaultTest extends GpuTest {
  private static final AttentionShape SHAPE = new AttentionShape(4, 2, 200, 513, 128);

  @Test
  void aLayerBeyondTheDevicesMemoryIsRefusedWithBothNumbers() {
    // All heads are one and the same memory: the host needs little, the device would need 4 TiB.
    int heads = 4096;
    int tokens = 1 << 20;
    MemorySegment memory = MemorySegment.ofArray(new float[tokens + 256]);
    HeadTensor huge = new HeadTensor(memory, ElementType.FLOAT32, heads, tokens, 1, 0, 1);
    AttentionShape shape = new AttentionShape(heads, heads, tokens, tokens, 1);
    AttentionCall call =
        new AttentionCall(
            shape, huge, huge, huge, huge, MemorySegment.NULL, 1, AttentionCases.dense(shape));
    assertThatThrownBy(() -> backend.attend(call))
        .isInstanceOfSatisfying(
            DeviceMemoryException.class,
            refusal -> {
              assertThat(refusal.neededBytes()).isGreaterThan(refusal.freeBytes());
              assertThat(refusal.freeBytes()).isPositive();
            })
        .hasMessageContaining("MiB of device memory, but");
    assertNextCallWorks();
  }

  @Test
  void memoryThatRunsOutInTheMiddleIsGivenBack() {
    assertThatThrownBy(() ->
            device()
                .call(lane -> {
                  try (WorkQueue queue = new WorkQueue(device(), lane)) {
                    for (int i = 0; i < 10_000; i++) {
                      queue.allocate(1L << 30);
                    }
                  }
                  return true;
                }))
        .isInstanceOf(DeviceMemoryException.class)
        .hasMessageContaining("1,024 MiB of device memory");
    assertThat(backend.pool().liveAllocations()).isZero();
    assertNextCallWorks();
  }

  @Test
  void anImageForTheDeviceRuns() throws IOException {
    assertThat(runStore(image("right.fatbin"))).isEqualTo(42);
  }

  @Test
  void anImageForAnotherArchitectureIsRefused() throws IOException {
    byte[] wrong = image("wrong.fatbin");
    assertThatThrownBy(() -> runStore(wrong))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("kernel image 'single' has no code for this device");
    assertNextCallWorks();
  }

  @Test
  void aDamagedImageIsRefused() throws IOException {
    byte[] damaged = image("right.fatbin");
    int elf = indexOfElf(damaged);
    for (int i = elf; i < elf + 64; i++) {
      damaged[i] = 0x5A;
    }
    assertThatThrownBy(() -> runStore(damaged))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("kernel image 'single'");
    assertNextCallWorks();
  }

  @Test
  void twoThreadsShareABackend() throws Exception {
    List<AttentionCall> calls = IntStream.range(0, 24).mapToObj(CudaFaultTest::call).toList();
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Callable<Boolean>> tasks =
          calls.stream()
              .<Callable<Boolean>>map(call ->
                  () -> {
                    backend.attend(call);
                    return true;
                  })
              .toList();
      for (Future<Boolean> done : threads.invokeAll(tasks)) {
        assertThat(done.get()).isTrue();
      }
    }
    calls.parallelStream().forEach(CudaFaultTest::assertRight);
    assertThat(backend.pool().liveAllocations()).isZero();
  }

  @Test
  void closingWaitsForCallsAndLaterCallsFail() throws Exception {
    CudaBackend closing = new CudaBackend(newDevice());
    closing.attend(call(0));
    List<AttentionCall> calls = IntStream.range(0, 16).mapToObj(CudaFaultTest::call).toList();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<Boolean>> running =
          calls.stream().map(call -> threads.submit(() -> tryAttend(closing, call))).toList();
      closing.close();
      List<AttentionCall> done = new ArrayList<>();
      for (int i = 0; i < calls.size(); i++) {
        if (running.get(i).get()) {
          done.add(calls.get(i));
        }
      }
      done.parallelStream().forEach(CudaFaultTest::assertRight);
    }
    assertThatThrownBy(() -> closing.attend(call(1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this CUDA backend has been closed");
    closing.close();
    assertNextCallWorks();
  }

  @Test
  void openingAndClosingLeavesNothingBehind() {
    long[] free = new long[4];
    for (int i = 0; i < free.length; i++) {
      try (CudaBackend other = new CudaBackend(newDevice())) {
        other.attend(call(i));
      }
      free[i] = device().call(lane -> device().pool().freeBytes());
    }
    assertThat(free[3]).as("free bytes after each round %s", free).isGreaterThanOrEqualTo(free[1]);
  }

  private static boolean tryAttend(CudaBackend closing, AttentionCall call) {
    try {
      closing.attend(call);
      return true;
    } catch (IllegalStateException closed) {
      return false;
    }
  }

  private void assertNextCallWorks() {
    AttentionCall call = call(7);
    backend.attend(call);
    assertRight(call);
    assertThat(backend.pool().liveAllocations()).isZero();
  }

  private static AttentionCall call(int seed) {
    AttentionCases cases = new AttentionCases(seed);
    return cases.call(SHAPE, ElementType.BFLOAT16, cases.indices(SHAPE, BlockShape.DEFAULT));
  }

  private static void assertRight(AttentionCall call) {
    AttentionCall expected = PlainTypedAttention.reference(call);
    assertThat(PlainTypedAttention.outputError(call, expected))
        .isLessThanOrEqualTo(PlainTypedAttention.allowedOutputError(call, expected));
  }

  private long runStore(byte[] image) {
    KernelSource source =
        new KernelSource("single", () -> Optional.of(new ByteArrayInputStream(image)));
    return device()
        .call(lane -> {
          try (WorkQueue queue = new WorkQueue(device(), lane)) {
            long target = queue.allocate(Long.BYTES);
            KernelParameters parameters = new KernelParameters(8).putLong(0, target);
            queue.launch(source, "heddle_test_store", KernelGrid.of(1, 1, 1, 1), parameters);
            long[] value = new long[1];
            queue.download(target, MemorySegment.ofArray(value));
            return value[0];
          }
        });
  }

  static byte[] image(String name) throws IOException {
    String folder = System.getProperty("heddle.gpu.images", "");
    assumeTrue(!folder.isEmpty(), "scripts/gpu/run.sh names the folder of test images");
    return Files.readAllBytes(Path.of(folder, name));
  }

  private static int indexOfElf(byte[] image) {
    for (int i = 0; i + 64 < image.length; i++) {
      if (image[i] == 0x7F && image[i + 1] == 'E' && image[i + 2] == 'L' && image[i + 3] == 'F') {
        return i;
      }
    }
    throw new AssertionError("the test image is compressed");
  }
}
