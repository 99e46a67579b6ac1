package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.AttentionCases;
import dev.heddle.kernels.DeviceException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * A kernel that writes where it must not ends the device for its process. Nothing else can run in
 * this process afterwards: one test, in a Java of its own.
 */
class CudaLostDeviceTest extends GpuTest {
  @Test
  void anIllegalAccessIsToldWithItsRemedyAndClosingStillWorks() throws IOException {
    byte[] image = CudaFaultTest.image("right.fatbin");
    KernelSource source =
        new KernelSource("single", () -> Optional.of(new ByteArrayInputStream(image)));
    CudaBackend other = new CudaBackend(newDevice());
    assertThatThrownBy(() -> storeAt(0x10000, source))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("failed: CUDA_ERROR_ILLEGAL_ADDRESS; the device cannot be used")
        .hasMessageContaining("start a new one");
    AttentionShape shape = new AttentionShape(1, 1, 64, 64, 64);
    AttentionCall call =
        new AttentionCases(1).call(shape, ElementType.FLOAT16, AttentionCases.dense(shape));
    assertThatThrownBy(() -> other.attend(call))
        .as("the next call")
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("start a new one");
    Throwable closing = catchThrowable(other::close);
    assertThat(closing == null || closing instanceof DeviceException).as("%s", closing).isTrue();
    assertThatThrownBy(() -> other.attend(call)).hasMessage("this CUDA backend has been closed");
    other.close();
    // What everyone does after the last test.
    assertThat(catchThrowable(backend::close))
        .satisfiesAnyOf(
            none -> assertThat(none).isNull(),
            lost -> assertThat(lost).isInstanceOf(DeviceException.class));
  }

  private long storeAt(long address, KernelSource source) {
    return device()
        .call(lane -> {
          try (WorkQueue queue = new WorkQueue(device(), lane)) {
            KernelParameters parameters = new KernelParameters(8).putLong(0, address);
            queue.launch(source, "heddle_test_store", KernelGrid.of(1, 1, 1, 1), parameters);
            long[] value = new long[1];
            queue.download(queue.allocate(8), MemorySegment.ofArray(value));
            return value[0];
          }
        });
  }
}
