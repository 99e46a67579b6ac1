package dev.heddle.kernels.cuda;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.HeadWork;
import java.util.List;
import java.util.stream.IntStream;

/** A layer in host memory: uploaded, computed, downloaded. */
final class HostLayer {
  /** Stands for an address before memory is taken, when only sizes matter. */
  private static final long NOT_YET = 256;

  private final AttentionCall tensors;
  private final BlockShape blocks;
  private final int headDim;

  /**
   * Checks the layer.
   *
   * @throws InvalidInputException if the kernels do not take its sizes or types
   */
  HostLayer(AttentionCall tensors, BlockShape blocks) {
    this.tensors = tensors;
    this.blocks = blocks;
    this.headDim = deviceHeadDim(tensors.shape().headDim());
    requireOneType();
    AttentionLaunch.requireSupported(planned());
  }

  /** Numbers per row on the device, which moves them in steps. */
  static int deviceHeadDim(int headDim) {
    return Math.ceilDiv(headDim, AttentionLaunch.HEAD_DIM_STEP) * AttentionLaunch.HEAD_DIM_STEP;
  }

  /** Runs the layer; the output is written when this returns. */
  GpuReport attend(WorkQueue queue, Lane lane, List<HeadWork> heads, MemoryPool pool) {
    LayerPlan.of(planned(), heads).requireMemory(bytes(), pool);
    HostTransfer transfer = new HostTransfer(queue);
    GpuLayer layer = uploaded(queue, transfer);
    LayerPlan plan = LayerPlan.of(layer, heads);
    plan.compute(queue, lane.times());
    // All that can run out of memory comes before the first write.
    List<Long> cells = plan.cells(queue);
    transfer.download(layer.out(), tensors.out());
    if (tensors.wantsLogSumExp()) {
      queue.download(layer.logSumExp(), tensors.logSumExp().asSlice(0, logSumExpBytes()));
    }
    return lane.report(cells);
  }

  /** Builds the indices of all heads and reads them back. */
  List<BlockIndex> indices(WorkQueue queue, List<HeadWork> heads, MemoryPool pool) {
    LayerPlan.of(planned(), heads).requireMemory(bytes(), pool);
    LayerPlan plan = LayerPlan.of(uploaded(queue, new HostTransfer(queue)), heads);
    plan.index(queue);
    return IntStream.range(0, heads.size())
        .mapToObj(head -> plan.indices(head, queue).getFirst())
        .toList();
  }

  private GpuLayer uploaded(WorkQueue queue, HostTransfer transfer) {
    GpuTensor queries = transfer.upload(tensors.queries(), headDim);
    GpuTensor keys = transfer.upload(tensors.keys(), headDim);
    GpuTensor values = transfer.upload(tensors.values(), headDim);
    GpuTensor out = transfer.allocate(tensors.out(), headDim);
    long logSumExp = tensors.wantsLogSumExp() ? queue.allocate(logSumExpBytes()) : 0;
    return layer(List.of(queries, keys, values, out), logSumExp);
  }

  private GpuLayer planned() {
    List<GpuTensor> planned =
        List.of(tensors.queries(), tensors.keys(), tensors.values(), tensors.out()).stream()
            .map(this::planned)
            .toList();
    return layer(planned, 0);
  }

  private GpuTensor planned(HeadTensor host) {
    return GpuTensor.contiguous(NOT_YET, host.type(), host.heads(), host.tokens(), headDim);
  }

  private GpuLayer layer(List<GpuTensor> qkvOut, long logSumExp) {
    return new GpuLayer(
        qkvOut.get(0),
        qkvOut.get(1),
        qkvOut.get(2),
        qkvOut.get(3),
        logSumExp,
        tensors.softmaxScale(),
        blocks,
        List.of(GpuSequence.whole(tensors.shape().queryTokens(), tensors.shape().keyTokens())));
  }

  private long bytes() {
    return HostTransfer.bytes(tensors.queries(), headDim)
        + HostTransfer.bytes(tensors.keys(), headDim)
        + HostTransfer.bytes(tensors.values(), headDim)
        + HostTransfer.bytes(tensors.out(), headDim)
        + (tensors.wantsLogSumExp() ? logSumExpBytes() : 0);
  }

  private long logSumExpBytes() {
    return (long) tensors.shape().queryHeads()
        * tensors.shape().queryTokens()
        * ElementType.FLOAT32.bytes();
  }

  private void requireOneType() {
    ElementType type = tensors.queries().type();
    if (tensors.keys().type() != type
        || tensors.values().type() != type
        || tensors.out().type() != type) {
      throw new InvalidInputException(
          "queries are %s, keys %s, values %s, out %s; the CUDA backend takes one type for all"
              .formatted(
                  type, tensors.keys().type(), tensors.values().type(), tensors.out().type()));
    }
  }
}
