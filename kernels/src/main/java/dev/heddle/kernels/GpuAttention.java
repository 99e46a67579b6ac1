package dev.heddle.kernels;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.KernelSource;
import java.lang.foreign.Arena;
import java.util.List;

/**
 * What a backend on a GPU can do beyond {@link AttentionBackend}: have patterns build their indices
 * on the device, and work on device memory of the caller.
 *
 * <p>Safe for use by several threads, each with its own output memory.
 */
public interface GpuAttention {
  /**
   * Computes a layer that lies in host memory and returns when the output is written.
   *
   * @param tensors the layer; its indices are not read
   * @param blocks the tile that indices are built in
   * @param heads how each query head is computed, in order
   * @throws InvalidInputException if the GPU kernels do not take the sizes
   * @throws DeviceMemoryException if the device has not enough free memory; nothing was written
   */
  GpuReport attend(AttentionCall tensors, BlockShape blocks, List<HeadWork> heads);

  /**
   * Builds the indices of a layer that lies in host memory, on the device where {@code heads} says
   * so, and reads them back. Computes no attention and writes nothing. An index whose rows are read
   * by halves of their queries comes back with a row of half of {@code blocks}' queries for each.
   *
   * @return one index per query head
   * @throws InvalidInputException if the GPU kernels do not take the sizes, or a head's kernels
   *     compute its index without storing it
   * @throws DeviceMemoryException if the device has not enough free memory
   */
  List<BlockIndex> indices(AttentionCall tensors, BlockShape blocks, List<HeadWork> heads);

  /**
   * Takes device memory for a layer of one sequence that is computed many times, with the scale
   * 1/√headDim. What the memory holds is undefined until {@link GpuTensors#upload}.
   *
   * @param shape the sizes of the layer
   * @param type how each element of all tensors is stored
   * @param blocks the tile that indices are built in
   * @throws InvalidInputException if the GPU kernels do not take the sizes
   * @throws DeviceMemoryException if the device has not enough free memory; nothing is held then
   */
  GpuTensors allocate(AttentionShape shape, ElementType type, BlockShape blocks);

  /**
   * Queues the attention of a layer that lies in device memory. The output may be read by what the
   * caller queues on {@code stream} afterwards.
   *
   * @param layer the caller's tensors in the memory of this backend's device
   * @param heads how each query head is computed, in order
   * @param stream the handle (CUstream) of the stream on which the inputs are made; 0 is the
   *     default stream
   * @throws InvalidInputException if the GPU kernels do not take the sizes, or an address is not
   *     the device's
   * @throws DeviceMemoryException if the device has not enough free memory; nothing was queued, but
   *     where memory runs out only while indices are built, their building was
   */
  void attend(GpuLayer layer, List<HeadWork> heads, long stream);

  /**
   * The same, but waits until the layer is computed and says what that was.
   *
   * @throws InvalidInputException as {@link #attend(GpuLayer, List, long)}
   * @throws DeviceMemoryException as {@link #attend(GpuLayer, List, long)}
   */
  GpuReport attendAndWait(GpuLayer layer, List<HeadWork> heads, long stream);

  /**
   * The most device memory that {@link #attend(GpuLayer, List, long)} takes beside the layer's
   * tensors, whose addresses are not looked at.
   */
  long scratchBytes(GpuLayer layer, List<HeadWork> heads);

  /**
   * Whether kernels can run here. Text is not compiled for the answer: only a compiler is looked
   * for.
   *
   * @param kernels kernels of a pattern's GPU half
   */
  default Availability availability(KernelSource kernels) {
    return kernels.isPresent()
        ? new Availability.Available(kernels.name())
        : new Availability.Refused(
            "kernel image '" + kernels.name() + "' is not part of this build",
            "build where nvcc is found");
  }

  /**
   * Copies some heads of a tensor in device memory to the host, behind what is queued on {@code
   * stream}, and waits for it.
   *
   * @param tensor Q, K or V of the caller, in the memory of this backend's device
   * @param heads which heads of the tensor, in the order of the result
   * @param stream the handle (CUstream) of the stream on which the tensor is made
   * @param arena where the copy lives
   * @return contiguous {@code [heads.size()][tokens][headDim]}
   * @throws InvalidInputException if the address is not the device's
   */
  HeadTensor download(GpuTensor tensor, List<Integer> heads, long stream, Arena arena);
}
