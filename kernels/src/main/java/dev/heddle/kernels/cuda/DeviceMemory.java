package dev.heddle.kernels.cuda;

import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.InvalidInputException;
import jcuda.Pointer;
import jcuda.driver.CUpointer_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * Checks callers' addresses: a kernel that is handed memory which the device does not know ends the
 * device for the whole process. The context must be current.
 */
final class DeviceMemory {
  private DeviceMemory() {}

  /**
   * Passes if all tensors begin in memory that the driver knows.
   *
   * @throws InvalidInputException naming the tensor that does not
   */
  static void require(GpuLayer layer) {
    require("queries", layer.queries());
    require("keys", layer.keys());
    require("values", layer.values());
    require("out", layer.out());
    if (layer.logSumExp() != 0) {
      require("logSumExp", layer.logSumExp());
    }
  }

  static void require(String name, GpuTensor tensor) {
    require(name, tensor.address());
  }

  private static void require(String name, long address) {
    int[] type = new int[1];
    int result =
        JCudaDriver.cuPointerGetAttribute(
            Pointer.to(type),
            CUpointer_attribute.CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
            DeviceHandles.pointer(address));
    if (result == CUresult.CUDA_ERROR_INVALID_VALUE) {
      throw new InvalidInputException(
          "the address of %s, 0x%x, is in no memory that the device knows"
              .formatted(name, address));
    }
    Driver.check(result, "asking about the address of " + name);
  }
}
