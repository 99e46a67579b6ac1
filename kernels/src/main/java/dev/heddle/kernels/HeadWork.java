package dev.heddle.kernels;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.Options;
import java.util.List;

/** How one head of a layer is computed on a GPU. */
public sealed interface HeadWork {
  /**
   * By indices that the host has built.
   *
   * @param indices one for each sequence of the batch
   */
  record Indexed(List<BlockIndex> indices) implements HeadWork {
    /** Copies the list. */
    public Indexed {
      indices = List.copyOf(indices);
    }
  }

  /**
   * By its pattern's own kernels, which build the index on the device.
   *
   * @param kernels the pattern's GPU half
   * @param options the head's options
   */
  record OnDevice(GpuKernels kernels, Options options) implements HeadWork {}
}
