package dev.heddle.api;

/**
 * Small tables in device memory that describe a {@link GpuCall} to kernels. The host uploads them
 * once per call.
 *
 * @param sequences device address of int32 {@code [sequence][4]}: the fields of {@link GpuSequence}
 *     in their order
 * @param heads device address of int32 {@code [head slot]}: the query head
 * @param options device address of 4-byte values {@code [head slot][option]}, in the order in which
 *     the pattern declares them: int32 for counts and flags (0 or 1), float32 for fractions
 * @param optionCount options per head
 * @param hopper device address of the struct {@code HopperTables} of the shared CUDA headers, which
 *     attention kernels for compute capability 9.0 need; 0 where they cannot run
 */
public record GpuTables(long sequences, long heads, long options, int optionCount, long hopper) {}
