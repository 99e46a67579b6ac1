package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.kernels.DeviceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DriverTest {
  @Test
  void successPasses() {
    assertThatCode(() -> Driver.check(0, "trying")).doesNotThrowAnyException();
  }

  @Test
  void errorsNameTheOperationAndTheDriversReason() {
    assertThatThrownBy(() -> Driver.check(400, "marking the caller's stream"))
        .isInstanceOf(DeviceException.class)
        .hasMessage("marking the caller's stream failed: CUDA_ERROR_INVALID_HANDLE");
    assertThat(Driver.describe(2, "copying"))
        .isEqualTo(
            "copying failed: CUDA_ERROR_OUT_OF_MEMORY; use fewer tokens or heads per call, or free"
                + " device memory");
  }

  /** After these every later call of the process fails. */
  @ParameterizedTest
  @ValueSource(ints = {214, 700, 702, 710, 714, 715, 716, 717, 718, 719})
  void aLostDeviceNeedsANewProcess(int result) {
    assertThat(Driver.describe(result, "waiting for the device"))
        .startsWith("waiting for the device failed: CUDA_ERROR_")
        .endsWith(
            "; the device cannot be used by this process any more: start a new one, and report the"
                + " call");
  }
}
