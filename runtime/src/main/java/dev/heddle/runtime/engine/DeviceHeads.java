package dev.heddle.runtime.engine;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.GpuAttention;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Heads of a layer in device memory whose index only the host can build: they are copied to it, one
 * key/value head with its query heads at a time, so that the host never holds more than one group.
 *
 * @param stream the handle of the stream on which the tensors are made
 */
record DeviceHeads(GpuLayer tensors, long stream, GpuAttention gpu) {
  /**
   * Builds the indices of {@code heads}, waiting for the device where there are any.
   *
   * @param firstHead the model's number of the layer's query head 0
   * @return for each head one index per sequence
   */
  Map<Integer, List<BlockIndex>> index(
      int layer, int firstHead, List<Integer> heads, HeadIndexer indexer) {
    Map<Integer, List<BlockIndex>> indices = new TreeMap<>();
    heads.stream()
        .collect(Collectors.groupingBy(head -> head / tensors.groupSize()))
        .forEach((keyValueHead, group) ->
            indexGroup(new Group(layer, firstHead, keyValueHead, group), indexer, indices));
    return indices;
  }

  /** Query heads that read one key/value head. */
  private record Group(int layer, int firstHead, int keyValueHead, List<Integer> queryHeads) {}

  private void indexGroup(
      Group group, HeadIndexer indexer, Map<Integer, List<BlockIndex>> indices) {
    int sequences = tensors.sequences().size();
    try (Arena arena = Arena.ofShared()) { // indices are built on several threads
      List<BlockIndex> built = indexer.index(inputs(group, arena));
      for (int i = 0; i < group.queryHeads().size(); i++) {
        indices.put(
            group.queryHeads().get(i),
            List.copyOf(built.subList(i * sequences, (i + 1) * sequences)));
      }
    }
  }

  /** {@code [query head of the group][sequence]}. */
  private List<HeadInputs> inputs(Group group, Arena arena) {
    List<Integer> keyValueHead = List.of(group.keyValueHead());
    HeadTensor queries = gpu.download(tensors.queries(), group.queryHeads(), stream, arena);
    HeadTensor keys = gpu.download(tensors.keys(), keyValueHead, stream, arena);
    HeadTensor values = gpu.download(tensors.values(), keyValueHead, stream, arena);
    List<HeadInputs> inputs = new ArrayList<>();
    for (int i = 0; i < group.queryHeads().size(); i++) {
      for (int sequence = 0; sequence < tensors.sequences().size(); sequence++) {
        GpuSequence place = tensors.sequences().get(sequence);
        inputs.add(
            new HeadInputs(
                tensors.shape(sequence),
                tensors.blocks(),
                group.layer(),
                group.firstHead() + group.queryHeads().get(i),
                rows(queries.head(i), place.firstQuery(), place.queryTokens()),
                rows(keys.head(0), place.firstKey(), place.keyTokens()),
                rows(values.head(0), place.firstKey(), place.keyTokens()),
                tensors.softmaxScale()));
      }
    }
    return inputs;
  }

  private static HeadMatrix rows(HeadMatrix all, int first, int count) {
    return new HeadMatrix(
        all.memory(), all.type(), all.rowOffset(first), count, all.headDim(), all.tokenStride());
  }
}
