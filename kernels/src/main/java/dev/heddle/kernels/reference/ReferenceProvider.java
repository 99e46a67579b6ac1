package dev.heddle.kernels.reference;

import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.MatrixProducts;

/** Offers the reference backend, which runs everywhere. */
public final class ReferenceProvider implements BackendProvider {
  @Override
  public String name() {
    return ReferenceBackend.NAME;
  }

  @Override
  public Availability availability() {
    return new Availability.Available("plain Java in float64: the oracle of tests, slow");
  }

  @Override
  public AttentionBackend open(int threads) {
    return new ReferenceBackend();
  }

  @Override
  public MatrixProducts openMatrixProducts(int threads) {
    return new ReferenceMatrixProducts();
  }
}
