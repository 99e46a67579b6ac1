/**
 * Attention on NVIDIA GPUs. The only package that knows JCuda.
 *
 * <p>From the bottom up: the driver ({@code DriverLibrary}, {@code JCudaNatives}, {@code Driver}),
 * the device and what it owns ({@code Device}: context, memory pool, kernel modules, lanes), the
 * queue of one plan ({@code WorkQueue}), and what is computed with it ({@code SharedKernels},
 * {@code CudaBackend}).
 *
 * <p>Every address is a device address unless a {@code MemorySegment} holds it. Whoever takes
 * something closes it: a backend its device, a device its pool, modules and lanes, a plan its queue
 * and with that all memory of the plan.
 */
@NullMarked
package dev.heddle.kernels.cuda;

import org.jspecify.annotations.NullMarked;
