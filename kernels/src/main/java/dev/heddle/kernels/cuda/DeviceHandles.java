package dev.heddle.kernels.cuda;

import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUstream;

/** JCuda's handles with the numbers behind them, which JCuda itself does not show. */
final class DeviceHandles {
  private DeviceHandles() {}

  /** A pointer to the device address {@code address}. */
  static CUdeviceptr pointer(long address) {
    return new CUdeviceptr().withByteOffset(address);
  }

  /** A kernel. */
  static final class Function extends CUfunction {
    long handle() {
      return getNativePointer();
    }
  }

  /** A stream. */
  static final class Stream extends CUstream {
    long handle() {
      return getNativePointer();
    }
  }

  /** An event. */
  static final class Event extends CUevent {
    long handle() {
      return getNativePointer();
    }
  }
}
