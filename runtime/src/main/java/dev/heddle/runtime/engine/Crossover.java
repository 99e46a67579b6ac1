package dev.heddle.runtime.engine;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCost;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuLayer;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.HeadWork;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Which heads of a layer on a GPU run dense because their pattern is likely to take longer, which
 * its {@link GpuKernels#cost} says from the options alone, so that no index is built in vain.
 *
 * <p>A head runs dense where that takes no more cells than its sparse attention and its index
 * together. The others of the same pattern share launches and a wait: where all that they save
 * takes the device no longer than these, they run dense too.
 *
 * @param sequences the sizes of each sequence of the layer
 * @param blocks the tile that indices are built in
 * @param cellsPerNano cells of dense attention that the device computes in a nanosecond
 */
record Crossover(List<AttentionShape> sequences, BlockShape blocks, double cellsPerNano) {
  /**
   * FLOP of dense attention per nanosecond, 4 · headDim to a cell, measured on an H100: 600 TFLOP/s
   * for 16-bit numbers and 23 for float32. A slower device computes fewer cells in the time of a
   * launch, and gains from sparse heads earlier.
   */
  private static final double FLOP_PER_NANO = 600_000;

  private static final double FLOP_PER_NANO_FLOAT32 = 23_000;

  static Crossover of(GpuLayer layer) {
    List<AttentionShape> sequences =
        IntStream.range(0, layer.sequences().size()).mapToObj(layer::shape).toList();
    return of(sequences, layer.blocks(), layer.queries().type());
  }

  static Crossover of(AttentionCall call, BlockShape blocks) {
    return of(List.of(call.shape()), blocks, call.queries().type());
  }

  private static Crossover of(List<AttentionShape> sequences, BlockShape blocks, ElementType type) {
    double flop = type == ElementType.FLOAT32 ? FLOP_PER_NANO_FLOAT32 : FLOP_PER_NANO;
    return new Crossover(sequences, blocks, flop / (4.0 * sequences.getFirst().headDim()));
  }

  /** The most keys that a sequence has. */
  int mostKeyTokens() {
    return sequences.stream().mapToInt(AttentionShape::keyTokens).max().orElseThrow();
  }

  /** The heads of {@code work}, by their places in it, that had better run dense. */
  Set<Integer> dense(List<HeadWork> work) {
    Map<GpuKernels, Saving> byPattern = new HashMap<>();
    Set<Integer> dense = new TreeSet<>();
    double densely = sequences.stream().mapToLong(AttentionShape::causalCells).sum();
    for (int head = 0; head < work.size(); head++) {
      if (work.get(head) instanceof HeadWork.OnDevice onDevice) {
        Optional<GpuCost> cost = cost(onDevice);
        if (cost.isPresent()) {
          double saved = densely - cost.get().attentionCells() - cost.get().indexCells();
          if (saved <= 0) {
            dense.add(head);
          } else {
            byPattern
                .computeIfAbsent(onDevice.kernels(), none -> new Saving())
                .add(head, saved, cost.get().layerNanos());
          }
        }
      }
    }
    byPattern.values().stream()
        .filter(saving -> saving.cells <= saving.layerNanos * cellsPerNano)
        .forEach(saving -> dense.addAll(saving.heads));
    return dense;
  }

  private Optional<GpuCost> cost(HeadWork.OnDevice head) {
    return sequences.stream()
        .map(shape -> head.kernels().cost(shape, blocks, head.options()))
        .reduce((one, other) -> one.flatMap(cost -> other.map(cost::plus)))
        .orElseThrow();
  }

  /** What the heads of one pattern save together. */
  private static final class Saving {
    private final List<Integer> heads = new ArrayList<>();
    private double cells;
    private long layerNanos;

    void add(int head, double saved, long nanos) {
      heads.add(head);
      cells += saved;
      layerNanos = Math.max(layerNanos, nanos);
    }
  }
}
