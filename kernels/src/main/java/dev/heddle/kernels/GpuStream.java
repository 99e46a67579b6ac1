package dev.heddle.kernels;

import dev.heddle.api.GpuQueue;

/**
 * Work on a GPU beside attention: memory that stays until it is given back, kernels of the caller,
 * matrix products, times. Everything is queued in the order of the calls; only what says so waits.
 *
 * <p>Opened by {@link Backends#openStream}. What attention a façade queues on {@link #handle} runs
 * in the same order. For one thread at a time.
 */
public interface GpuStream extends GpuQueue, AutoCloseable {
  /** The stream's handle (CUstream), as {@link GpuAttention} takes it. */
  long handle();

  /**
   * Takes device memory that stays until {@link #free} or {@link #close}. Its content is undefined.
   *
   * @throws DeviceMemoryException if the device has not enough free memory
   */
  @Override
  long allocate(long bytes);

  /** Gives back what {@link #allocate} returned, once everything queued so far has run. */
  void free(long address);

  /** Device memory that {@link #allocate} can still take. */
  long freeBytes();

  /**
   * Computes {@code out[t][o] = Σ_i in[t][i] · weight[o][i]} for all rows {@code t} of {@code in},
   * with float32 sums.
   *
   * @param in {@code [tokens][inputs]}, float16 or bfloat16
   * @param weight {@code [outputs][inputs]}, of the type of {@code in}
   * @param out receives {@code [tokens][outputs]}, of the type of {@code in} or float32; must not
   *     overlap the others
   * @param adds whether the product is added to what {@code out} holds
   * @throws dev.heddle.api.InvalidInputException if sizes or types do not fit
   * @throws DeviceException if cuBLASLt does not compute it, with its reason
   */
  void multiply(GpuMatrix in, GpuMatrix weight, GpuMatrix out, boolean adds);

  /**
   * Records what {@code work} queues here instead of running it.
   *
   * @param work may launch kernels and multiply, nothing else; addresses and parameters are those
   *     of this run in every replay, and must stay valid
   */
  GpuRecording record(Runnable work);

  /**
   * Takes host memory and a queue of copies between it and device memory.
   *
   * @param hostBytes at least 1
   * @throws DeviceException if there is not enough host memory
   */
  GpuCopies openCopies(long hostBytes);

  /**
   * Marks this place in the queue.
   *
   * @return the mark's number, counted from 0 since {@link #forgetMarks}
   */
  int mark();

  /** Nanoseconds on the device between two marks; waits for the second. */
  long nanosBetween(int from, int to);

  /** Starts to count marks anew. */
  void forgetMarks();

  /**
   * Waits for everything that is queued.
   *
   * @throws DeviceException if any of it failed
   */
  void await();

  /** Waits for what is queued, then gives everything back. Closing again does nothing. */
  @Override
  void close();
}
