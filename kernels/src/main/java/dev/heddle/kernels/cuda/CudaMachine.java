package dev.heddle.kernels.cuda;

/** What the guards ask of a machine, each question only if those before it were answered well. */
interface CudaMachine {
  /** Operating system and processor, such as {@code "Linux on amd64"}. */
  String platform();

  /** Whether JCuda has natives for the platform and they were found. */
  boolean hasNatives();

  /** Whether the driver's library was found. */
  boolean hasDriver();

  /** The driver's answer to being started: 0, or its error code. */
  int initialisation();

  /** The newest CUDA version that the driver knows, 1000 · major + 10 · minor. */
  int driverVersion();

  /** Devices that this process may use. */
  int deviceCount();

  /** Whether JCuda loads: empty, or why not. */
  String loadingFailure();

  /** Name of device 0. */
  String deviceName();

  /** Compute capability of device 0, 10 · major + minor. */
  int computeCapability();

  /** Memory of device 0 in bytes. */
  long deviceMemory();

  /** Whether device 0 has stream-ordered memory pools; some virtual GPUs have not. */
  boolean hasMemoryPools();

  /** Whether the build made the shared kernels' image. */
  boolean hasSharedImage();
}
