package dev.heddle.kernels.cuda;

/** The kernels that every device has, also on a device that has faster ones of its own. */
class PortableKernelsTest extends CudaAttentionTest {
  @Override
  Device openDevice() {
    JCudaNatives.load();
    return Device.openPortable(0);
  }
}
