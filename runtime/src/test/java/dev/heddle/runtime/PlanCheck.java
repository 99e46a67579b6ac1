package dev.heddle.runtime;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.GpuAttention;
import dev.heddle.kernels.HeadWork;
import dev.heddle.runtime.AttentionPlan.Assignment;
import dev.heddle.testkit.TestLayer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks what a façade computed of one sequence through the indices that the host builds; where it
 * is wrong through those, through the device's own, which must equal the host's but for ties.
 *
 * @param gpu reads the device's indices
 * @param rows of each head that are compared
 */
record PlanCheck(AttentionPlan plan, GpuAttention gpu, int rows) {
  /** One sequence's inputs and what was computed of it. */
  record Computed(TestLayer layer, HeadTensor out, MemorySegment logSumExp) {}

  void assertRight(String name, int layer, Computed computed, long seed) {
    List<BlockIndex> indices = new ArrayList<>();
    for (int head = 0; head < computed.layer().shape().queryHeads(); head++) {
      Assignment assignment = plan.assignment(layer, head);
      HeadInputs inputs = computed.layer().head(head, BlockShape.DEFAULT);
      indices.add(assignment.pattern().index(inputs, assignment.options()));
    }
    try {
      sampled(computed, indices).assertRight(name, seed);
    } catch (AssertionError perhapsTies) {
      List<BlockIndex> onDevice = deviceIndices(name, layer, computed, indices);
      if (onDevice.equals(indices)) {
        throw perhapsTies;
      }
      sampled(computed, onDevice).assertRight(name + ", by the device's index", seed);
    }
  }

  private SampledRows sampled(Computed computed, List<BlockIndex> indices) {
    return new SampledRows(call(computed, indices), indices, rows);
  }

  private List<BlockIndex> deviceIndices(
      String name, int layer, Computed computed, List<BlockIndex> indices) {
    List<BlockIndex> onDevice = new ArrayList<>(indices);
    for (int head = 0; head < indices.size(); head++) {
      Assignment assignment = plan.assignment(layer, head);
      SparsePattern pattern = assignment.pattern();
      IndexTies ties = new IndexTies(computed.layer(), head, assignment.options());
      switch (pattern.name()) {
        case "vertical-slash" -> {
          onDevice.set(head, deviceIndex(computed, indices, head, assignment));
          ties.assertLinesEqual(name, onDevice.get(head), indices.get(head));
        }
        case "block-sparse" -> {
          onDevice.set(head, deviceIndex(computed, indices, head, assignment));
          ties.assertBlocksEqual(name, onDevice.get(head), indices.get(head));
        }
        default -> {}
      }
    }
    return onDevice;
  }

  private BlockIndex deviceIndex(
      Computed computed, List<BlockIndex> indices, int head, Assignment assignment) {
    List<HeadWork> work = new ArrayList<>();
    indices.forEach(index -> work.add(new HeadWork.Indexed(List.of(index))));
    work.set(
        head,
        new HeadWork.OnDevice(assignment.pattern().gpu().orElseThrow(), assignment.options()));
    return gpu.indices(call(computed, indices), BlockShape.DEFAULT, work).get(head);
  }

  private static AttentionCall call(Computed computed, List<BlockIndex> indices) {
    TestLayer layer = computed.layer();
    return new AttentionCall(
        layer.shape(),
        layer.queries(),
        layer.keys(),
        layer.values(),
        computed.out(),
        computed.logSumExp(),
        layer.softmaxScale(),
        indices);
  }
}
