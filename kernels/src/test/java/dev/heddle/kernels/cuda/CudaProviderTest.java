package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.BackendUnavailableException;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.MatrixProducts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

class CudaProviderTest {
  @Test
  void isTheFirstChoice() {
    assertThat(Backends.standard().providers().stream().map(BackendProvider::name))
        .containsExactly("cuda", "vector", "reference");
  }

  @Test
  void modelsKeepTheirProductsOnTheProcessor() {
    try (MatrixProducts products = Backends.standard().openMatrixProducts(Backends.AUTO, 1)) {
      assertThat(products).isNotNull();
    }
  }

  @Test
  @EnabledIf(value = "isRefused", disabledReason = "the CUDA backend can run here")
  void autoGoesOnWithoutIt() {
    try (AttentionBackend backend = Backends.standard().open(Backends.AUTO, 1)) {
      assertThat(backend.name()).isEqualTo("vector");
    }
    assertThat(new CudaProvider().details()).isEmpty();
  }

  @Test
  @EnabledIf(value = "isRefused", disabledReason = "the CUDA backend can run here")
  void namingItIsAnErrorWithReasonAndRemedy() {
    Refused refused = (Refused) new CudaProvider().availability();
    assertThatThrownBy(() -> Backends.standard().open("cuda", 1))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("cuda: " + refused.reason() + "; " + refused.remedy());
  }

  static boolean isRefused() {
    return new CudaProvider().availability() instanceof Refused;
  }
}
