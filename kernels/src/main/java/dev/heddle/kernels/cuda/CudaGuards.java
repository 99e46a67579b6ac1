package dev.heddle.kernels.cuda;

import dev.heddle.kernels.Availability;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Availability.Refused;

/** Decides whether the CUDA backend can run: the first thing that is missing, and its remedy. */
record CudaGuards(CudaMachine machine) {
  /** CUDA 12.4, the oldest toolkit that the kernels are built with. */
  static final int LEAST_DRIVER_VERSION = 12_040;

  /** Ampere: cp.async and bfloat16 tensor cores. */
  static final int LEAST_COMPUTE_CAPABILITY = 80;

  private static final int NO_DEVICE = 100; // CUDA_ERROR_NO_DEVICE

  Availability check() {
    if (!machine.hasNatives()) {
      return new Refused(
          "JCuda's natives for " + machine.platform() + " are not on the module path",
          "put jcuda-natives-12.6.0-linux-x86_64.jar beside jcuda-12.6.0.jar");
    }
    if (!machine.hasDriver()) {
      return new Refused(
          "no NVIDIA driver: libcuda.so.1 was not found",
          "install the driver of an NVIDIA GPU, or start the container with its GPU");
    }
    int initialisation = machine.initialisation();
    if (initialisation == NO_DEVICE) {
      return noDevice();
    }
    if (initialisation != 0) {
      return new Refused(
          "the NVIDIA driver does not start: error " + initialisation,
          "see whether nvidia-smi lists the GPU; after a driver update, restart the machine");
    }
    return checkStartedDriver();
  }

  private Availability checkStartedDriver() {
    int version = machine.driverVersion();
    if (version < LEAST_DRIVER_VERSION) {
      return new Refused(
          "the NVIDIA driver is for CUDA " + cuda(version),
          "install a driver for CUDA " + cuda(LEAST_DRIVER_VERSION) + " or later");
    }
    if (machine.deviceCount() == 0) {
      return noDevice();
    }
    String loadingFailure = machine.loadingFailure();
    if (!loadingFailure.isEmpty()) {
      return new Refused(
          "JCuda does not load: " + loadingFailure,
          "use jcuda-12.6.0.jar and jcuda-natives-12.6.0-linux-x86_64.jar, and a temp directory"
              + " that allows execution");
    }
    return checkDevice(version);
  }

  private Availability checkDevice(int driverVersion) {
    int capability = machine.computeCapability();
    if (capability < LEAST_COMPUTE_CAPABILITY) {
      return new Refused(
          "%s has compute capability %s".formatted(machine.deviceName(), dotted(capability)),
          "use a GPU of compute capability %s or later (Ampere); CUDA_VISIBLE_DEVICES chooses"
              .formatted(dotted(LEAST_COMPUTE_CAPABILITY)));
    }
    if (!machine.hasMemoryPools()) {
      return new Refused(
          machine.deviceName() + " has no memory pools",
          "use a whole GPU, or a virtual one with unified memory switched on");
    }
    if (!machine.hasSharedImage()) {
      return new Refused(
          "this build has no GPU kernels",
          "build Heddle where nvcc (CUDA 12.4 or later) is on the PATH or in CUDA_HOME/bin");
    }
    return new Available(
        "%s, compute capability %s, %d MiB, driver for CUDA %s"
            .formatted(
                machine.deviceName(),
                dotted(capability),
                machine.deviceMemory() >> 20,
                cuda(driverVersion)));
  }

  private static Refused noDevice() {
    return new Refused(
        "the NVIDIA driver lists no device",
        "see whether nvidia-smi lists the GPU and CUDA_VISIBLE_DEVICES does not hide it");
  }

  static String cuda(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }

  static String dotted(int capability) {
    return capability / 10 + "." + capability % 10;
  }
}
