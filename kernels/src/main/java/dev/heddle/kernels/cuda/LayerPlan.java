package dev.heddle.kernels.cuda;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuHead;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.kernels.DeviceMemoryException;
import dev.heddle.kernels.HeadWork;
import dev.heddle.kernels.cuda.LaneTimes.Part;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The heads of one layer sorted into parts, each of which is one launch: dense heads, heads with an
 * index of the host, and the heads of each pattern with kernels of its own.
 */
final class LayerPlan {
  /** What a host index's head has in place of options. */
  private static final Options NO_OPTIONS = Options.defaults(List.<Option<?>>of());

  private final GpuLayer layer;
  private final List<LayerPart> parts;

  private LayerPlan(GpuLayer layer, List<LayerPart> parts) {
    this.layer = layer;
    this.parts = parts;
  }

  /**
   * Sorts the heads.
   *
   * @throws InvalidInputException if there is not one work per query head, or not one index per
   *     sequence and of its sizes
   */
  static LayerPlan of(GpuLayer layer, List<HeadWork> heads) {
    if (heads.size() != layer.queries().heads()) {
      throw new InvalidInputException(
          "%d heads of work for %d query heads".formatted(heads.size(), layer.queries().heads()));
    }
    return new Sorter(layer).sort(heads);
  }

  /**
   * Checks that the device has the memory.
   *
   * @param tensorBytes what the layer's own tensors are going to take
   * @throws DeviceMemoryException with both numbers if it has not
   */
  void requireMemory(long tensorBytes, MemoryPool pool) {
    long needed = Math.addExact(tensorBytes, bytes());
    long free = pool.freeBytes();
    if (needed > free) {
      throw new DeviceMemoryException(
          "attention over %,d keys with %d query heads"
              .formatted(layer.keys().tokens(), layer.queries().heads()),
          needed,
          free);
    }
  }

  /** The most device memory that the plan takes beside the layer's tensors. */
  long bytes() {
    long bytes = 0;
    for (LayerPart part : parts) {
      bytes = Math.addExact(bytes, part.bytes());
    }
    return bytes;
  }

  /** Queues the building of all indices. */
  void index(WorkQueue queue) {
    parts.forEach(part -> part.index(queue));
  }

  /**
   * Queues all indices and all attention. Where the building of an index waits for the device, that
   * computes the attention of the parts before it meanwhile, whose indices are there: the dense
   * heads come first and wait for nothing.
   */
  void compute(WorkQueue queue, LaneTimes times) {
    Deque<LayerPart> indexed = new ArrayDeque<>();
    times.start(Part.INDEX);
    for (LayerPart part : parts) {
      queue.beforeWaiting(() -> {
        if (!indexed.isEmpty()) {
          times.next(Part.ATTENTION);
          attend(indexed, queue);
          times.next(Part.INDEX);
        }
      });
      part.index(queue);
      indexed.add(part);
    }
    queue.beforeWaiting(() -> {});
    times.next(Part.ATTENTION);
    attend(indexed, queue);
    times.end();
  }

  private static void attend(Deque<LayerPart> indexed, WorkQueue queue) {
    while (!indexed.isEmpty()) {
      indexed.remove().attend(queue);
    }
  }

  /** Cells of each query head, after {@link #index}. Waits for the device. */
  List<Long> cells(WorkQueue queue) {
    long[] cells = new long[layer.queries().heads()];
    parts.forEach(part -> part.addCells(queue, cells));
    return Arrays.stream(cells).boxed().toList();
  }

  /**
   * The indices of query head {@code head}, one per sequence, after {@link #index}. Waits for the
   * device.
   */
  List<BlockIndex> indices(int head, WorkQueue queue) {
    for (LayerPart part : parts) {
      int slot = part.heads().stream().map(GpuHead::queryHead).toList().indexOf(head);
      if (slot >= 0) {
        return part.indices(slot, queue);
      }
    }
    throw new InvalidInputException("no part computes head " + head);
  }

  /** One sorting. */
  private static final class Sorter {
    private final GpuLayer layer;
    private final List<GpuHead> dense = new ArrayList<>();
    private final List<GpuHead> indexed = new ArrayList<>();
    private final List<List<BlockIndex>> indices = new ArrayList<>();
    private final Map<GpuKernels, List<GpuHead>> patterned = new LinkedHashMap<>();

    Sorter(GpuLayer layer) {
      this.layer = layer;
    }

    LayerPlan sort(List<HeadWork> heads) {
      for (int head = 0; head < heads.size(); head++) {
        switch (heads.get(head)) {
          case HeadWork.Indexed(List<BlockIndex> ofHead) -> addIndexed(head, ofHead);
          case HeadWork.OnDevice(GpuKernels kernels, Options options) ->
              addPatterned(new GpuHead(head, options), kernels);
        }
      }
      List<LayerPart> parts = new ArrayList<>();
      if (!dense.isEmpty()) {
        parts.add(LayerPart.dense(layer, dense));
      }
      if (!indexed.isEmpty()) {
        parts.add(LayerPart.indexed(layer, indexed, indices));
      }
      patterned.forEach(
          (kernels, ofPattern) -> parts.add(LayerPart.patterned(layer, ofPattern, kernels)));
      return new LayerPlan(layer, parts);
    }

    private void addIndexed(int head, List<BlockIndex> ofHead) {
      requireFitting(head, ofHead);
      GpuHead gpuHead = new GpuHead(head, NO_OPTIONS);
      if (ofHead.stream().allMatch(BlockIndex::isDense)) {
        dense.add(gpuHead);
      } else {
        indexed.add(gpuHead);
        indices.add(ofHead);
      }
    }

    private void addPatterned(GpuHead head, GpuKernels kernels) {
      boolean readsAll =
          IntStream.range(0, layer.sequences().size())
              .allMatch(sequence -> kernels.readsAll(layer.shape(sequence), head.options()));
      if (readsAll) {
        dense.add(new GpuHead(head.queryHead(), NO_OPTIONS));
      } else {
        patterned.computeIfAbsent(kernels, first -> new ArrayList<>()).add(head);
      }
    }

    private void requireFitting(int head, List<BlockIndex> ofHead) {
      if (ofHead.size() != layer.sequences().size()) {
        throw new InvalidInputException(
            "head %d has %d indices for %d sequences"
                .formatted(head, ofHead.size(), layer.sequences().size()));
      }
      for (int sequence = 0; sequence < ofHead.size(); sequence++) {
        BlockIndex index = ofHead.get(sequence);
        boolean sameTokens =
            index.shape().queryTokens() == layer.sequences().get(sequence).queryTokens()
                && index.shape().keyTokens() == layer.sequences().get(sequence).keyTokens();
        if (!sameTokens || !(index.isDense() || index.blocks().equals(layer.blocks()))) {
          throw new InvalidInputException(
              "head %d: an index for %s in %s does not suit %s in %s"
                  .formatted(
                      head,
                      index.shape(),
                      index.blocks(),
                      layer.sequences().get(sequence),
                      layer.blocks()));
        }
      }
    }
  }
}
