package dev.heddle.kernels.cuda;

import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.InvalidInputException;
import java.util.Objects;

/**
 * Refuses what a GPU half gives for an index where a kernel would read outside the plan's memory
 * for it, and with that end the device for the whole process. The entries stay on the device and
 * are the GPU half's own affair.
 */
record DeviceIndexCheck(GpuCall call, String source, WorkQueue queue) {
  /**
   * Passes {@code index} on.
   *
   * @throws InvalidInputException naming the GPU half and the array that is not there
   */
  GpuIndex requireReadable(GpuIndex index) {
    if (Objects.isNull(index)) { // foreign code may break the promise of its signature
      throw new InvalidInputException("the GPU half '%s' gave no index (null)".formatted(source));
    }
    if (!index.equals(GpuIndex.COMPUTED)) {
      long offsetsBytes = (call.indexRows() + 1) * Long.BYTES;
      require("blockOffsets", index.blockOffsets(), offsetsBytes);
      require("columnOffsets", index.columnOffsets(), offsetsBytes);
      require("blockStarts", index.blockStarts(), Integer.BYTES);
      require("columns", index.columns(), Integer.BYTES);
    }
    return index;
  }

  private void require(String name, long address, long bytes) {
    if (!queue.holds(address, bytes)) {
      throw new InvalidInputException(
          ("the GPU half '%s' gave an index whose %s (%d bytes at 0x%x) are not memory that it took"
                  + " for this plan")
              .formatted(source, name, bytes, address));
    }
  }
}
