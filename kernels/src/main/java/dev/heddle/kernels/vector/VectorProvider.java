package dev.heddle.kernels.vector;

import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.MatrixProducts;

/**
 * Offers the vector backend where the Vector API is part of the running JVM. This class itself must
 * load without it.
 */
public final class VectorProvider implements BackendProvider {
  private static final String MODULE = "jdk.incubator.vector";
  private static final int LEAST_BITS = 128;

  @Override
  public String name() {
    return VectorBackend.NAME;
  }

  @Override
  public Availability availability() {
    if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
      return new Availability.Refused(
          "the JVM runs without the module " + MODULE,
          "start java with --add-modules " + MODULE + ", or put Heddle on the module path");
    }
    int bits = VectorSize.bits();
    if (bits < LEAST_BITS) {
      return new Availability.Refused(
          "the JVM offers vectors of %d bits, and %d are needed".formatted(bits, LEAST_BITS),
          "use a processor with at least SSE2 or NEON, and no -XX:MaxVectorSize below 16");
    }
    int processors = Runtime.getRuntime().availableProcessors();
    return new Availability.Available(bits + "-bit vectors, " + processors + " processors");
  }

  @Override
  public AttentionBackend open(int threads) {
    return new VectorBackend(threads);
  }

  @Override
  public MatrixProducts openMatrixProducts(int threads) {
    return new VectorMatrixProducts(threads);
  }
}
