package dev.heddle.kernels.cuda;

import dev.heddle.kernels.DeviceException;
import java.util.function.ToIntFunction;
import jcuda.driver.CUresult;

/** Turns the driver's result codes into errors. */
final class Driver {
  private Driver() {}

  /**
   * Passes if {@code result} is success.
   *
   * @param operation what was tried, for the message
   * @throws DeviceException naming the operation and the driver's reason
   */
  static void check(int result, String operation) {
    if (result != CUresult.CUDA_SUCCESS) {
      throw new DeviceException(describe(result, operation));
    }
  }

  static String describe(int result, String operation) {
    return operation + " failed: " + CUresult.stringFor(result) + remedy(result);
  }

  /** Runs {@code read} on an array of one int and gives what it wrote there. */
  static int readInt(ToIntFunction<int[]> read, String operation) {
    int[] value = new int[1];
    check(read.applyAsInt(value), operation);
    return value[0];
  }

  private static String remedy(int result) {
    return switch (result) {
      case CUresult.CUDA_ERROR_OUT_OF_MEMORY ->
          "; use fewer tokens or heads per call, or free device memory";
      case CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
          CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
          CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
          CUresult.CUDA_ERROR_INVALID_PC,
          CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
          CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
          CUresult.CUDA_ERROR_ASSERT,
          CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
          CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
          CUresult.CUDA_ERROR_LAUNCH_FAILED ->
          "; the device cannot be used by this process any more: start a new one, and report the call";
      default -> "";
    };
  }
}
