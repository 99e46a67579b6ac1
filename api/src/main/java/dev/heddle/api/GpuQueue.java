package dev.heddle.api;

import java.lang.foreign.MemorySegment;

/**
 * What a pattern's GPU half can do with the device: take memory, copy, launch. Everything is queued
 * in the order of the calls, for one plan; only {@link #download} waits. Valid while the method
 * that received it runs; for one thread.
 *
 * <p>What fails on the device fails with a {@link HeddleException} that names the operation.
 */
public interface GpuQueue {
  /**
   * Takes device memory that is given back by itself when the plan is done. Its content is
   * undefined.
   *
   * @param bytes at least 1
   * @return a device address, a multiple of 256
   */
  long allocate(long bytes);

  /** Fills {@code bytes} bytes from {@code address} on with {@code value}. */
  void fill(long address, byte value, long bytes);

  /**
   * Copies {@code source} to {@code address}. {@code source} may be changed as soon as this
   * returns.
   */
  void upload(MemorySegment source, long address);

  /** Waits for everything queued so far, and copies from {@code address} to {@code target}. */
  void download(long address, MemorySegment target);

  /**
   * Launches {@code kernel} of {@code source}.
   *
   * @param kernel the {@code extern "C"} name
   * @param parameters the kernel's only parameter, a struct by value
   */
  void launch(KernelSource source, String kernel, KernelGrid grid, KernelParameters parameters);

  /**
   * Whether the image of {@code source} has a kernel for this device: images hold kernels that only
   * some devices run.
   *
   * @param kernel the {@code extern "C"} name
   */
  boolean has(KernelSource source, String kernel);

  /**
   * Queues the attention of all heads of {@code call} by the rows of {@code index}, with the host's
   * own kernel.
   *
   * @param index compressed rows in device memory
   */
  default void attend(GpuCall call, GpuTables tables, GpuIndex index) {
    throw new UnsupportedOperationException("this queue has no attention kernel");
  }

  /** Multiprocessors of the device. */
  int multiprocessors();
}
