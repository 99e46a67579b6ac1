package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.kernels.Availability;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Availability.Refused;
import org.junit.jupiter.api.Test;

class CudaGuardsTest {
  /** A machine on which everything is there; tests take one thing away. */
  private record Machine(
      boolean hasNatives,
      boolean hasDriver,
      int initialisation,
      int driverVersion,
      int deviceCount,
      String loadingFailure,
      int computeCapability,
      boolean hasMemoryPools,
      boolean hasSharedImage)
      implements CudaMachine {
    static final Machine WHOLE = new Machine(true, true, 0, 13_000, 1, "", 90, true, true);

    @Override
    public String platform() {
      return "Linux on amd64";
    }

    @Override
    public String deviceName() {
      return "NVIDIA Test";
    }

    @Override
    public long deviceMemory() {
      return 80L << 30;
    }
  }

  @Test
  void aWholeMachineIsDescribed() {
    assertThat(new CudaGuards(Machine.WHOLE).check())
        .isEqualTo(
            new Available("NVIDIA Test, compute capability 9.0, 81920 MiB, driver for CUDA 13.0"));
  }

  @Test
  void missingNatives() {
    assertRefused(
        new Machine(false, true, 0, 13_000, 1, "", 90, true, true),
        "JCuda's natives for Linux on amd64 are not on the module path",
        "jcuda-natives-12.6.0-linux-x86_64.jar");
  }

  @Test
  void missingDriver() {
    assertRefused(
        new Machine(true, false, 0, 13_000, 1, "", 90, true, true),
        "no NVIDIA driver: libcuda.so.1 was not found",
        "install the driver");
  }

  @Test
  void driverThatDoesNotStart() {
    assertRefused(
        new Machine(true, true, 999, 13_000, 1, "", 90, true, true),
        "the NVIDIA driver does not start: error 999",
        "nvidia-smi");
  }

  @Test
  void driverWithoutDevices() {
    assertRefused(
        new Machine(true, true, 100, 13_000, 1, "", 90, true, true),
        "the NVIDIA driver lists no device",
        "CUDA_VISIBLE_DEVICES");
    assertRefused(
        new Machine(true, true, 0, 13_000, 0, "", 90, true, true),
        "the NVIDIA driver lists no device",
        "CUDA_VISIBLE_DEVICES");
  }

  @Test
  void oldDriver() {
    assertRefused(
        new Machine(true, true, 0, 12_020, 1, "", 90, true, true),
        "the NVIDIA driver is for CUDA 12.2",
        "CUDA 12.4 or later");
  }

  @Test
  void jcudaThatDoesNotLoad() {
    assertRefused(
        new Machine(true, true, 0, 13_000, 1, "wrong ELF class", 90, true, true),
        "JCuda does not load: wrong ELF class",
        "jcuda-12.6.0.jar");
  }

  @Test
  void oldDevice() {
    assertRefused(
        new Machine(true, true, 0, 13_000, 1, "", 75, true, true),
        "NVIDIA Test has compute capability 7.5",
        "8.0 or later");
  }

  @Test
  void deviceWithoutMemoryPools() {
    assertRefused(
        new Machine(true, true, 0, 13_000, 1, "", 90, false, true),
        "NVIDIA Test has no memory pools",
        "use a whole GPU");
  }

  @Test
  void buildWithoutKernels() {
    assertRefused(
        new Machine(true, true, 0, 13_000, 1, "", 90, true, false),
        "this build has no GPU kernels",
        "nvcc (CUDA 12.4 or later)");
  }

  private static void assertRefused(CudaMachine machine, String reason, String remedy) {
    Availability availability = new CudaGuards(machine).check();
    assertThat(availability).isInstanceOf(Refused.class);
    Refused refused = (Refused) availability;
    assertThat(refused.reason()).isEqualTo(reason).doesNotContain("\n");
    assertThat(refused.remedy()).contains(remedy).doesNotContain("\n");
  }
}
