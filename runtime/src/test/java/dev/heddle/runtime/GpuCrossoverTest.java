package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.HeadWork;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Heads whose pattern would take longer than dense attention, beside heads whose does not. */
class GpuCrossoverTest extends GpuRuntimeTest {
  private static final int TOKENS = 8192;
  private static final int SAMPLED_ROWS = 10;
  private static final ModelShape MODEL = new ModelShape(1, 16, 4, 128);
  private static final Map<String, Integer> NEARLY_ALL = Map.of("verticals", 1000, "slashes", 6096);
  private static final Map<String, Integer> FEW = Map.of("verticals", 30, "slashes", 800);

  private final TestLayer layer =
      new TestTensors(8)
          .rotaryLayer(
              new AttentionShape(16, 4, TOKENS, TOKENS, 128),
              ElementType.BFLOAT16,
              Layout.INTERLEAVED);

  @Test
  void denseHeadsAndSparseOnesAreRight() {
    HeadTensor out = Layout.INTERLEAVED.allocate(ElementType.BFLOAT16, 16, TOKENS, 128);
    List<PrefillReport.Head> heads;
    try (SparseAttention attention = attention()) {
      heads = attention.prefill(0, layer.queries(), layer.keys(), layer.values(), out).heads();
    }
    assertThat(heads.subList(0, 4))
        .allMatch(head -> head.pattern().equals("dense"))
        .allMatch(head -> head.note().equals("its index and its cells would take longer"));
    assertThat(heads.subList(4, 16))
        .allMatch(head -> head.pattern().equals("vertical-slash"))
        .allMatch(head -> head.note().isEmpty());
    List<BlockIndex> indices = indices(out);
    assertThat(heads)
        .extracting(PrefillReport.Head::cells)
        .containsExactlyElementsOf(indices.stream().map(BlockIndex::cells).toList());
    new SampledRows(layer.call(indices, out), indices, SAMPLED_ROWS).assertRight("crossover", 8);
  }

  private static SparseAttention attention() {
    return SparseAttention.builder()
        .heads(
            HeadsConfig.builder(MODEL)
                .defaults("vertical-slash", FEW)
                .assign("0", "0-3", "vertical-slash", NEARLY_ALL)
                .build())
        .backend("cuda")
        .build();
  }

  /** What the device builds of the sparse heads, and dense ones before. */
  private List<BlockIndex> indices(HeadTensor out) {
    SparsePattern pattern = registry.get("vertical-slash");
    HeadWork few =
        new HeadWork.OnDevice(pattern.gpu().orElseThrow(), Options.of(pattern.options(), FEW));
    BlockIndex dense = BlockIndex.dense(layer.shape(), BlockShape.DEFAULT);
    List<HeadWork> work =
        new ArrayList<>(Collections.nCopies(4, new HeadWork.Indexed(List.of(dense))));
    work.addAll(Collections.nCopies(12, few));
    AttentionCall call = layer.call(Collections.nCopies(16, dense), out);
    return gpu.indices(call, BlockShape.DEFAULT, work);
  }
}
