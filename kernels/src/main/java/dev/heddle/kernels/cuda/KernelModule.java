package dev.heddle.kernels.cuda;

import dev.heddle.kernels.DeviceException;
import dev.heddle.kernels.cuda.DeviceHandles.Function;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** A loaded kernel image. Safe for use by several threads, each with the context current. */
final class KernelModule implements AutoCloseable {
  /** Dynamic shared memory that every kernel may use; more must be asked for. */
  private static final int SHARED_BYTES_WITHOUT_ASKING = 48 << 10;

  private final String name;
  private final CUmodule module = new CUmodule();

  /** What was asked for, also what the image has not. */
  private final Map<String, Optional<Kernel>> kernels = new HashMap<>();

  /** A kernel and the dynamic shared memory that it may use. */
  private record Kernel(Function function, int sharedBytes) {}

  /**
   * Loads an image for the current context's device.
   *
   * @param name for messages
   * @param image a fat binary, machine code or PTX
   * @throws DeviceException if it is damaged or has no code for the device
   */
  KernelModule(String name, byte[] image, int computeCapability) {
    this.name = name;
    int result = JCudaDriver.cuModuleLoadData(module, image);
    switch (result) {
      case CUresult.CUDA_SUCCESS -> {}
      case CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU,
          CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
          CUresult.CUDA_ERROR_JIT_COMPILER_NOT_FOUND ->
          throw new DeviceException(
              ("kernel image '%s' has no code for this device (compute capability %s) that its driver takes"
                      + " (%s); update the driver, or build Heddle with an nvcc that is not newer than it")
                  .formatted(
                      name, CudaGuards.dotted(computeCapability), CUresult.stringFor(result)));
      case CUresult.CUDA_ERROR_INVALID_IMAGE,
          CUresult.CUDA_ERROR_INVALID_PTX,
          CUresult.CUDA_ERROR_INVALID_SOURCE ->
          throw new DeviceException(
              "kernel image '%s' is corrupted (%s); build or download Heddle again"
                  .formatted(name, CUresult.stringFor(result)));
      default -> Driver.check(result, "loading kernel image '" + name + "'");
    }
  }

  /**
   * The handle of kernel {@code kernel}, allowed to use {@code sharedBytes} of dynamic shared
   * memory.
   *
   * @throws DeviceException if the image has it not for the context's device
   */
  synchronized long function(String kernel, int sharedBytes) {
    Kernel found =
        find(kernel)
            .orElseThrow(() ->
                new DeviceException(
                    "kernel image '%s' has no kernel '%s'; build Heddle again"
                        .formatted(name, kernel)));
    if (found.sharedBytes() < sharedBytes) {
      Driver.check(
          JCudaDriver.cuFuncSetAttribute(
              found.function(),
              CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
              sharedBytes),
          "asking for %d bytes of shared memory for kernel '%s'".formatted(sharedBytes, kernel));
      kernels.put(kernel, Optional.of(new Kernel(found.function(), sharedBytes)));
    }
    return found.function().handle();
  }

  /** Whether the image has the kernel for the context's device. */
  synchronized boolean has(String kernel) {
    return find(kernel).isPresent();
  }

  private Optional<Kernel> find(String kernel) {
    return kernels.computeIfAbsent(kernel, this::look);
  }

  private Optional<Kernel> look(String kernel) {
    Function function = new Function();
    int result = JCudaDriver.cuModuleGetFunction(function, module, kernel);
    if (result == CUresult.CUDA_ERROR_NOT_FOUND) {
      return Optional.empty();
    }
    Driver.check(result, "finding kernel '" + kernel + "'");
    return Optional.of(new Kernel(function, SHARED_BYTES_WITHOUT_ASKING));
  }

  @Override
  public void close() {
    Driver.check(JCudaDriver.cuModuleUnload(module), "unloading kernel image '" + name + "'");
  }
}
