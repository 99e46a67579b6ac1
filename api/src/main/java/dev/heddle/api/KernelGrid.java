package dev.heddle.api;

/**
 * The geometry of one launch.
 *
 * @param blocksX thread blocks along x
 * @param blocksY thread blocks along y, at most 65,535
 * @param blocksZ thread blocks along z, at most 65,535
 * @param threadsX threads per block along x
 * @param threadsY threads per block along y
 * @param sharedBytes dynamic shared memory per block
 */
public record KernelGrid(
    int blocksX, int blocksY, int blocksZ, int threadsX, int threadsY, int sharedBytes) {
  private static final int MOST_YZ = 65_535;
  private static final int MOST_THREADS = 1024;

  /**
   * Checks the limits that all devices share.
   *
   * @throws InvalidInputException naming the geometry
   */
  public KernelGrid {
    boolean blocksFit =
        blocksX >= 1 && blocksY >= 1 && blocksZ >= 1 && blocksY <= MOST_YZ && blocksZ <= MOST_YZ;
    boolean threadsFit =
        threadsX >= 1 && threadsY >= 1 && (long) threadsX * threadsY <= MOST_THREADS;
    if (!blocksFit || !threadsFit || sharedBytes < 0) {
      throw new InvalidInputException(
          "no launch has %d x %d x %d blocks of %d x %d threads with %d bytes of shared memory"
              .formatted(blocksX, blocksY, blocksZ, threadsX, threadsY, sharedBytes));
    }
  }

  /** Blocks of {@code threads} threads without dynamic shared memory. */
  public static KernelGrid of(int blocksX, int blocksY, int blocksZ, int threads) {
    return new KernelGrid(blocksX, blocksY, blocksZ, threads, 1, 0);
  }
}
