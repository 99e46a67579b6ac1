package dev.heddle.kernels.cuda;

import dev.heddle.kernels.DeviceException;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUdevice;
import jcuda.driver.JCudaDriver;

/** What {@code heddle info} says of the devices. */
final class DeviceReport {
  private DeviceReport() {}

  /** One line per device of the process, and for device {@code used} what is free and what fits. */
  static List<String> ofDevice(int used) {
    JCudaNatives.load();
    Driver.check(JCudaDriver.cuInit(0), "starting the driver");
    int devices = Driver.readInt(JCudaDriver::cuDeviceGetCount, "counting devices");
    List<String> lines = new ArrayList<>();
    for (int ordinal = 0; ordinal < devices; ordinal++) {
      CUdevice device = ThisMachine.device(ordinal);
      String line =
          "device %d: %s, compute capability %s"
              .formatted(
                  ordinal,
                  ThisMachine.name(device),
                  CudaGuards.dotted(ThisMachine.computeCapability(device)));
      if (ordinal == used) {
        addUsed(ordinal, line, lines);
      } else {
        lines.add(line);
      }
    }
    return lines;
  }

  private static void addUsed(int ordinal, String line, List<String> lines) {
    try (Device device = Device.open(ordinal)) {
      lines.add(line + ", " + device.call(lane -> freeMemoryAndImages(device)));
      lines.addAll(device.compiler().describe());
    }
  }

  private static String freeMemoryAndImages(Device device) {
    return (device.pool().freeBytes() >> 20) + " MiB free; " + image(device);
  }

  private static String image(Device device) {
    try {
      device.module(SharedKernels.DENSE);
      device.module(SharedKernels.ROWS);
      return "the shared kernel images fit";
    } catch (DeviceException refused) {
      return String.valueOf(refused.getMessage());
    }
  }
}
