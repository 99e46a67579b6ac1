package dev.heddle.runtime.engine;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuCost;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuTables;
import dev.heddle.api.KernelSource;
import dev.heddle.api.Options;
import dev.heddle.kernels.DeviceException;
import dev.heddle.runtime.PatternFailedException;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A pattern's GPU half, whose failures name the pattern, the layer and a head. What the device
 * itself refuses passes through: it is not the pattern's fault.
 *
 * @param firstHead the model's number of the layer's query head 0
 */
record GpuHalf(String pattern, int layer, int firstHead, GpuKernels kernels) implements GpuKernels {
  @Override
  public KernelSource source() {
    return kernels.source();
  }

  @Override
  public boolean readsAll(AttentionShape shape, Options options) {
    return named(firstHead, () -> kernels.readsAll(shape, options));
  }

  @Override
  public long cells(AttentionShape shape, BlockShape blocks, Options options) {
    return named(firstHead, () -> kernels.cells(shape, blocks, options));
  }

  @Override
  public Optional<GpuCost> cost(AttentionShape shape, BlockShape blocks, Options options) {
    return named(firstHead, () -> kernels.cost(shape, blocks, options));
  }

  @Override
  public long scratchBytes(GpuCall call) {
    return named(head(call), () -> kernels.scratchBytes(call));
  }

  @Override
  public GpuIndex index(GpuCall call, GpuTables tables, GpuQueue queue) {
    return named(head(call), () -> kernels.index(call, tables, queue));
  }

  @Override
  public void attend(GpuCall call, GpuTables tables, GpuIndex index, GpuQueue queue) {
    named(
        head(call),
        () -> {
          kernels.attend(call, tables, index, queue);
          return true;
        });
  }

  private int head(GpuCall call) {
    return firstHead + call.heads().getFirst().queryHead();
  }

  private <T> T named(int head, Supplier<T> work) {
    try {
      return work.get();
    } catch (OutOfMemoryError | DeviceException notThePatternsFault) {
      throw notThePatternsFault;
    } catch (Throwable failure) { // foreign code may throw anything; the message must say whose
      throw new PatternFailedException(pattern, layer, head, failure);
    }
  }
}
