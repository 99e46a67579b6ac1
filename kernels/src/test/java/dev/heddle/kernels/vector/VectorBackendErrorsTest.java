package dev.heddle.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.AttentionCases;
import dev.heddle.kernels.Availability;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VectorBackendErrorsTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 24, 33, 100, 264})
  void refusesHeadDimsThatItDoesNotTake(int headDim) {
    AttentionCall call = call(headDim);
    try (AttentionBackend backend = new VectorProvider().open(2)) {
      assertThatThrownBy(() -> backend.attend(call))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("headDim is %d; the vector backend takes 32 to 256 in steps of 8", headDim);
    }
  }

  @Test
  void refusesMemoryOfOneThread() {
    AttentionCall call = call(32);
    try (Arena confined = Arena.ofConfined();
        AttentionBackend backend = new VectorProvider().open(2)) {
      HeadTensor out =
          HeadTensor.contiguous(confined.allocate(2 * 32 * 4), ElementType.FLOAT32, 1, 2, 32);
      AttentionCall confinedOut =
          new AttentionCall(
              call.shape(),
              call.queries(),
              call.keys(),
              call.values(),
              out,
              call.logSumExp(),
              1,
              call.indices());
      assertThatThrownBy(() -> backend.attend(confinedOut))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageStartingWith("out: the memory is confined to one thread");
    }
  }

  @Test
  void refusesCallsAfterClose() {
    AttentionBackend backend = new VectorProvider().open(2);
    backend.close();
    assertThatThrownBy(() -> backend.attend(call(32)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the vector backend is closed");
  }

  @Test
  void isAvailableWhereTheVectorApiIs() {
    assertThat(new VectorProvider().availability())
        .isInstanceOfSatisfying(
            Availability.Available.class,
            available ->
                assertThat(available.detail()).matches("\\d+-bit vectors, \\d+ processors?"));
  }

  private static AttentionCall call(int headDim) {
    AttentionShape shape = new AttentionShape(1, 1, 2, 2, headDim);
    return new AttentionCases(1).call(shape, ElementType.FLOAT32, AttentionCases.dense(shape));
  }
}
