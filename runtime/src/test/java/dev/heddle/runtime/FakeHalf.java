package dev.heddle.runtime;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuCost;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuTables;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.KernelSource;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.io.ByteArrayInputStream;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A pattern whose GPU half does what a test says and whose host half reads everything.
 *
 * @param hasImage whether the build made its kernels
 * @param duringIndex runs when the device's index is to be built
 * @param duringAttention runs when the attention is to be queued
 * @param cost what a head is likely to take
 */
record FakeHalf(
    String name,
    boolean hasImage,
    Consumer<GpuQueue> duringIndex,
    Consumer<GpuQueue> duringAttention,
    Optional<GpuCost> cost)
    implements SparsePattern, GpuKernels {
  FakeHalf(
      String name,
      boolean hasImage,
      Consumer<GpuQueue> duringIndex,
      Consumer<GpuQueue> duringAttention) {
    this(name, hasImage, duringIndex, duringAttention, Optional.empty());
  }

  /** One whose heads take what is said, whatever the shape. */
  static FakeHalf taking(String name, GpuCost cost) {
    return new FakeHalf(name, true, queue -> {}, queue -> {}, Optional.of(cost));
  }

  static FakeHalf during(String name, Consumer<GpuQueue> index, Consumer<GpuQueue> attention) {
    return new FakeHalf(name, true, index, attention);
  }

  @Override
  public String description() {
    return "a test's own";
  }

  @Override
  public List<Option<?>> options() {
    return List.of();
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    return BlockIndex.dense(head.shape(), head.blocks());
  }

  @Override
  public Optional<GpuKernels> gpu() {
    return Optional.of(this);
  }

  @Override
  public KernelSource source() {
    return new KernelSource(
        name,
        () -> hasImage ? Optional.of(new ByteArrayInputStream(new byte[0])) : Optional.empty());
  }

  @Override
  public boolean readsAll(AttentionShape shape, Options options) {
    return false;
  }

  @Override
  public Optional<GpuCost> cost(AttentionShape shape, BlockShape blocks, Options options) {
    return cost;
  }

  @Override
  public long scratchBytes(GpuCall call) {
    return 0;
  }

  @Override
  public GpuIndex index(GpuCall call, GpuTables tables, GpuQueue queue) {
    duringIndex.accept(queue);
    return GpuIndex.COMPUTED;
  }

  @Override
  public void attend(GpuCall call, GpuTables tables, GpuIndex index, GpuQueue queue) {
    duringAttention.accept(queue);
  }
}
