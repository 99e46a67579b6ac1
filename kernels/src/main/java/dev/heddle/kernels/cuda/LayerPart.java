package dev.heddle.kernels.cuda;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuHead;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuTables;
import dev.heddle.api.InvalidInputException;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.IntToLongFunction;
import java.util.stream.IntStream;

/** Heads of one layer that share one launch. Used once, by one thread. */
final class LayerPart {
  private final GpuCall call;
  private final Kind kind;
  private Optional<GpuTables> tables = Optional.empty();
  private GpuIndex index = GpuIndex.COMPUTED;

  /** What differs between parts. */
  private sealed interface Kind {
    record Dense() implements Kind {}

    /** Indices {@code [head slot][sequence]}. */
    record Indexed(List<List<BlockIndex>> indices) implements Kind {}

    record Patterned(GpuKernels kernels) implements Kind {}
  }

  private LayerPart(GpuCall call, Kind kind) {
    this.call = call;
    this.kind = kind;
  }

  static LayerPart dense(GpuLayer layer, List<GpuHead> heads) {
    return new LayerPart(new GpuCall(layer, heads), new Kind.Dense());
  }

  static LayerPart indexed(GpuLayer layer, List<GpuHead> heads, List<List<BlockIndex>> indices) {
    return new LayerPart(new GpuCall(layer, heads), new Kind.Indexed(indices));
  }

  static LayerPart patterned(GpuLayer layer, List<GpuHead> heads, GpuKernels kernels) {
    return new LayerPart(new GpuCall(layer, heads), new Kind.Patterned(kernels));
  }

  GpuCall call() {
    return call;
  }

  List<GpuHead> heads() {
    return call.heads();
  }

  /** The most device memory that this part takes beside the layer's tensors. */
  long bytes() {
    long tables = CallTables.bytes(call);
    return switch (kind) {
      case Kind.Dense() -> tables;
      case Kind.Indexed(List<List<BlockIndex>> indices) ->
          tables + HostIndexRows.of(call, indices).bytes();
      case Kind.Patterned(GpuKernels kernels) ->
          tables + scratchBytes(kernels) + SharedKernels.countBytes(call);
    };
  }

  private long scratchBytes(GpuKernels kernels) {
    long bytes = kernels.scratchBytes(call);
    if (bytes < 0) {
      throw new InvalidInputException(
          "the GPU half '%s' asks for %d bytes".formatted(kernels.source().name(), bytes));
    }
    return bytes;
  }

  /**
   * Queues the upload or the building of the index.
   *
   * @param uploaded the tables of {@link #call}
   */
  void index(WorkQueue queue, GpuTables uploaded) {
    tables = Optional.of(uploaded);
    index =
        switch (kind) {
          case Kind.Dense() -> GpuIndex.COMPUTED;
          case Kind.Indexed(List<List<BlockIndex>> indices) ->
              HostIndexRows.of(call, indices).upload(queue);
          case Kind.Patterned(GpuKernels kernels) ->
              new DeviceIndexCheck(call, kernels.source().name(), queue)
                  .requireReadable(kernels.index(call, uploaded, queue));
        };
  }

  /** Queues the attention, after {@link #index}. */
  void attend(WorkQueue queue) {
    GpuTables uploaded = tables.orElseThrow();
    switch (kind) {
      case Kind.Dense() -> SharedKernels.attendDense(call, uploaded, queue);
      case Kind.Indexed indexed -> SharedKernels.attendRows(call, uploaded, index, queue);
      case Kind.Patterned(GpuKernels kernels) -> kernels.attend(call, uploaded, index, queue);
    }
  }

  /** Adds each head's cells at its place in {@code cells}, after {@link #index}. */
  void addCells(WorkQueue queue, long[] cells) {
    long[] bySlot = cellsBySlot(queue);
    for (int slot = 0; slot < bySlot.length; slot++) {
      cells[call.heads().get(slot).queryHead()] += bySlot[slot];
    }
  }

  /** The indices of head slot {@code slot}, one per sequence, after {@link #index}. */
  List<BlockIndex> indices(int slot, WorkQueue queue) {
    return switch (kind) {
      case Kind.Dense() ->
          IntStream.range(0, call.layer().sequences().size())
              .mapToObj(
                  sequence -> BlockIndex.dense(call.layer().shape(sequence), call.layer().blocks()))
              .toList();
      case Kind.Indexed(List<List<BlockIndex>> indices) -> indices.get(slot);
      case Kind.Patterned patterned -> new DeviceIndexRows(call, index).download(slot, queue);
    };
  }

  private long[] cellsBySlot(WorkQueue queue) {
    return switch (kind) {
      case Kind.Dense() -> sum(slot -> sequence -> call.layer().shape(sequence).causalCells());
      case Kind.Indexed(List<List<BlockIndex>> indices) ->
          sum(slot -> sequence -> indices.get(slot).get(sequence).cells());
      case Kind.Patterned(GpuKernels kernels) ->
          index.equals(GpuIndex.COMPUTED)
              ? sum(slot -> sequence -> cells(kernels, slot, sequence))
              : SharedKernels.countCells(call, tables.orElseThrow(), index, queue);
    };
  }

  private long cells(GpuKernels kernels, int slot, int sequence) {
    return kernels.cells(
        call.layer().shape(sequence), call.layer().blocks(), call.heads().get(slot).options());
  }

  private long[] sum(IntFunction<IntToLongFunction> cells) {
    int sequences = call.layer().sequences().size();
    return IntStream.range(0, call.heads().size())
        .mapToLong(slot -> IntStream.range(0, sequences).mapToLong(cells.apply(slot)).sum())
        .toArray();
  }
}
