package dev.heddle.kernels.vector;

import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.MatrixProducts;
import jdk.incubator.vector.FloatVector;

/** Offers the vector backend where the Vector API is part of the running JVM. */
public final class VectorProvider implements BackendProvider {
  @Override
  public String name() {
    return "vector";
  }

  @Override
  public Availability availability() {
    return new Availability.Refused("it is not built yet", "use the reference backend");
  }

  @Override
  public AttentionBackend open(int threads) {
    throw new UnsupportedOperationException(FloatVector.SPECIES_PREFERRED.toString());
  }

  @Override
  public MatrixProducts openMatrixProducts(int threads) {
    throw new UnsupportedOperationException(FloatVector.SPECIES_PREFERRED.toString());
  }
}
