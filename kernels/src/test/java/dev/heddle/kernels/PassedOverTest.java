package dev.heddle.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.cuda.CudaProvider;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a user must hear who lets Heddle choose. */
class PassedOverTest {
  private static final Availability NO = new Refused("no warp", "thread one");
  private static final Availability YES = new Available("all is there");

  @Test
  void onlyWhatIsPreferredRefusedAndExpectedIsTold() {
    Backends backends =
        new Backends(
            List.of(
                new Machine("surprising", NO, true),
                new Machine("absent", NO, false),
                new Machine("chosen", YES, true),
                new Machine("behind", NO, true)));
    assertThat(backends.passedOver(Backends.AUTO))
        .containsExactly("surprising: no warp; thread one.");
    assertThat(backends.passedOver("behind")).isEmpty();
  }

  @Test
  void aMachineWithoutDriverIsNotExpectedToUseItsGpu() {
    CudaProvider cuda = new CudaProvider();
    boolean withoutDriver =
        cuda.availability() instanceof Refused refused
            && refused.reason().startsWith("no NVIDIA driver");
    assertThat(cuda.isExpected()).isEqualTo(!withoutDriver);
  }

  private record Machine(String name, Availability availability, boolean isExpected)
      implements BackendProvider {
    @Override
    public AttentionBackend open(int threads) {
      throw new AssertionError("nothing is computed");
    }

    @Override
    public MatrixProducts openMatrixProducts(int threads) {
      throw new AssertionError("nothing is computed");
    }
  }
}
