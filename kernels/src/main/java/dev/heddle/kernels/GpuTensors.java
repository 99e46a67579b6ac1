package dev.heddle.kernels;

import dev.heddle.api.GpuLayer;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import java.util.List;

/**
 * Q, K, V and the output of one layer in device memory of Heddle's own: for work that is repeated
 * on the same numbers and must not pay for their copy, measuring above all.
 *
 * <p>Made by {@link GpuAttention#allocate}. Close it before its backend. Not safe for use by
 * several threads.
 */
public interface GpuTensors extends AutoCloseable {
  /** The tensors' addresses, valid until {@link #close}. */
  GpuLayer layer();

  /**
   * Copies the inputs to the device and returns when they are there.
   *
   * @param queries Q in host memory, {@code [queryHeads][queryTokens][headDim]}
   * @param keys K in host memory, {@code [keyValueHeads][keyTokens][headDim]}
   * @param values V in host memory, of the sizes of K
   * @throws InvalidInputException if a tensor has not the sizes or the type of this layer
   * @throws IllegalStateException after {@link #close}
   */
  void upload(HeadTensor queries, HeadTensor keys, HeadTensor values);

  /**
   * Computes the layer and returns when the device is done. The report's times are differences of
   * events on the device: everything from the first launch on, and no copy of a tensor.
   *
   * @param heads how each query head is computed, in order
   * @throws InvalidInputException if the heads do not suit the layer
   * @throws DeviceMemoryException if the device has not enough free memory for the indices; nothing
   *     was queued
   * @throws IllegalStateException after {@link #close}
   */
  GpuReport attend(List<HeadWork> heads);

  /** Gives the memory back. Closing again does nothing. */
  @Override
  void close();
}
