package dev.heddle.kernels.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.ToIntFunction;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;

/** The machine that this process runs on, and its device 0. */
final class ThisMachine implements CudaMachine {
  private static final int DEVICE = 0;

  private final Optional<DriverLibrary> driver = DriverLibrary.find();

  @Override
  public String platform() {
    return System.getProperty("os.name") + " on " + System.getProperty("os.arch");
  }

  @Override
  public boolean hasNatives() {
    return JCudaNatives.arePresent();
  }

  @Override
  public boolean hasDriver() {
    return driver.isPresent();
  }

  @Override
  public int initialisation() {
    return driver.orElseThrow().initialise();
  }

  @Override
  public int driverVersion() {
    return read(driver.orElseThrow()::version);
  }

  @Override
  public int deviceCount() {
    return read(driver.orElseThrow()::deviceCount);
  }

  @Override
  public String loadingFailure() {
    try {
      JCudaNatives.load();
      return "";
    } catch (UnsatisfiedLinkError failure) {
      return String.valueOf(failure.getMessage()).lines().findFirst().orElse("no reason given");
    }
  }

  @Override
  public String deviceName() {
    return name(device(DEVICE));
  }

  @Override
  public int computeCapability() {
    return computeCapability(device(DEVICE));
  }

  @Override
  public long deviceMemory() {
    long[] bytes = new long[1];
    Driver.check(JCudaDriver.cuDeviceTotalMem(bytes, device(DEVICE)), "asking for device memory");
    return bytes[0];
  }

  @Override
  public boolean hasMemoryPools() {
    return attribute(device(DEVICE), CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED)
        != 0;
  }

  @Override
  public boolean hasSharedImage() {
    return SharedKernels.DENSE.isPresent() && SharedKernels.ROWS.isPresent();
  }

  static CUdevice device(int ordinal) {
    Driver.check(JCudaDriver.cuInit(0), "starting the driver");
    CUdevice device = new CUdevice();
    Driver.check(JCudaDriver.cuDeviceGet(device, ordinal), "finding device " + ordinal);
    return device;
  }

  static String name(CUdevice device) {
    byte[] name = new byte[256];
    Driver.check(
        JCudaDriver.cuDeviceGetName(name, name.length, device), "asking for the device's name");
    int end = 0;
    while (end < name.length && name[end] != 0) {
      end++;
    }
    return new String(name, 0, end, StandardCharsets.UTF_8);
  }

  static int computeCapability(CUdevice device) {
    return 10 * attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
        + attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  }

  static int attribute(CUdevice device, int attribute) {
    return Driver.readInt(
        value -> JCudaDriver.cuDeviceGetAttribute(value, attribute, device),
        "asking for a device attribute");
  }

  private static int read(ToIntFunction<MemorySegment> function) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
      int result = function.applyAsInt(value);
      return result == 0 ? value.get(ValueLayout.JAVA_INT, 0) : 0;
    }
  }
}
