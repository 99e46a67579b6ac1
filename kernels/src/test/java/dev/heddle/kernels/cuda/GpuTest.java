package dev.heddle.kernels.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.kernels.Availability;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Availability.Refused;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;

/** Tests that need a GPU: skipped, with the reason, where the CUDA backend cannot run. */
@Tag("gpu")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class GpuTest {
  private Device device;
  protected CudaBackend backend;

  @BeforeAll
  final void open() {
    Availability availability = new CudaProvider().availability();
    String reason = availability instanceof Refused refused ? refused.reason() : "";
    assumeTrue(availability instanceof Available, "no GPU to test on: " + reason);
    device = openDevice();
    backend = new CudaBackend(device);
  }

  @AfterAll
  final void close() {
    if (backend != null) {
      backend.close();
    }
  }

  /** The device that all tests of the class share. */
  Device openDevice() {
    return newDevice();
  }

  static Device newDevice() {
    JCudaNatives.load();
    return Device.open(0);
  }

  Device device() {
    return device;
  }
}
