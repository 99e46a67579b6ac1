package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.KernelSource;
import dev.heddle.kernels.DeviceException;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

class KernelImageTest {
  @Test
  void anImageThatWasNotBuilt() {
    KernelSource absent = new KernelSource("absent", Optional::empty);
    assertThat(absent.isPresent()).isFalse();
    assertThatThrownBy(() -> KernelImage.read(absent))
        .isInstanceOf(DeviceException.class)
        .hasMessage(
            "kernel image 'absent' is not part of this build; build Heddle where nvcc is found");
  }

  @Test
  void somethingElse() {
    assertThatThrownBy(() -> KernelImage.read(source(new byte[100])))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining(
            "kernel image 'test' is corrupted: it does not start like a fat binary");
  }

  @Test
  void halfAnImage() {
    byte[] image = image(100);
    assertThat(KernelImage.read(source(image))).isEqualTo(image);
    assertThatThrownBy(() -> KernelImage.read(source(Arrays.copyOf(image, 60))))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("it has 60 bytes, but its header says 116");
  }

  @Test
  @EnabledIf(value = "wereBuilt", disabledReason = "the build found no nvcc")
  void theSharedImagesAreWhole() {
    assertThat(KernelImage.read(SharedKernels.DENSE)).hasSizeGreaterThan(1000);
    assertThat(KernelImage.read(SharedKernels.ROWS)).hasSizeGreaterThan(1000);
  }

  static boolean wereBuilt() {
    return SharedKernels.DENSE.isPresent() || SharedKernels.ROWS.isPresent();
  }

  private static byte[] image(int payload) {
    ByteBuffer image = ByteBuffer.allocate(16 + payload).order(ByteOrder.LITTLE_ENDIAN);
    image.putInt(0xBA55ED50).putShort((short) 1).putShort((short) 16).putLong(payload);
    return image.array();
  }

  private static KernelSource source(byte[] bytes) {
    return new KernelSource("test", () -> Optional.of(new ByteArrayInputStream(bytes)));
  }
}
