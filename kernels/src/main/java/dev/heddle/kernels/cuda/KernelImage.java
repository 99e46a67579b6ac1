package dev.heddle.kernels.cuda;

import dev.heddle.api.KernelSource;
import dev.heddle.kernels.DeviceException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The bytes of a fat binary, checked as far as its header allows before the driver reads them. */
final class KernelImage {
  // The header: magic (u32), version (u16), header bytes (u16), bytes behind the header (u64).
  private static final int MAGIC = 0xBA55ED50;
  private static final int HEADER_BYTES = 16;

  private KernelImage() {}

  /**
   * The image of {@code source}.
   *
   * @throws DeviceException if there is none, or it is no fat binary, or not all of one
   */
  static byte[] read(KernelSource source) {
    byte[] bytes =
        source
            .read()
            .orElseThrow(() ->
                new DeviceException(
                    "kernel image '%s' is not part of this build; build Heddle where nvcc is found"
                        .formatted(source.name())));
    ByteBuffer image = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < HEADER_BYTES || image.getInt(0) != MAGIC) {
      throw corrupted(source, "it does not start like a fat binary");
    }
    long needed = Short.toUnsignedLong(image.getShort(6)) + image.getLong(8);
    if (needed < HEADER_BYTES || needed > bytes.length) {
      throw corrupted(
          source, "it has %d bytes, but its header says %d".formatted(bytes.length, needed));
    }
    return bytes;
  }

  private static DeviceException corrupted(KernelSource source, String what) {
    return new DeviceException(
        "kernel image '%s' is corrupted: %s; build or download Heddle again"
            .formatted(source.name(), what));
  }
}
