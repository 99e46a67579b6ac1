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
import dev.heddle.kernels.GpuAttention;
import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.HeadWork;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * One layer in host memory whose heads take turns with some options of one pattern.
 *
 * @param layout of the output
 */
record GpuCase(
    String name, SparsePattern pattern, TestLayer layer, List<Options> options, Layout layout) {
  static GpuCase of(
      SparsePattern pattern, TestLayer layer, List<? extends Map<String, ?>> given, Layout layout) {
    AttentionShape shape = layer.shape();
    List<Options> options =
        IntStream.range(0, shape.queryHeads())
            .mapToObj(head -> Options.of(pattern.options(), given.get(head % given.size())))
            .toList();
    String name = "%s %s %s %s".formatted(pattern.name(), layer.queries().type(), shape, layout);
    return new GpuCase(name, pattern, layer, options, layout);
  }

  /**
   * Has the device build its indices, compares them with the host's, and compares the attention
   * through them with rows in float64.
   *
   * @param rows of each head that are compared
   */
  void assertRight(GpuAttention gpu, int rows) {
    List<BlockIndex> indices = hostIndices();
    if (pattern.name().equals("vertical-slash") || pattern.name().equals("block-sparse")) {
      List<BlockIndex> onDevice = gpu.indices(call(indices, false), BlockShape.DEFAULT, work());
      for (int head = 0; head < indices.size(); head++) {
        IndexTies ties = new IndexTies(layer, head, options.get(head));
        if (pattern.name().equals("block-sparse")) {
          ties.assertBlocksEqual(name, onDevice.get(head), indices.get(head));
        } else {
          ties.assertLinesEqual(name, onDevice.get(head), indices.get(head));
        }
      }
      indices = onDevice;
    }
    assertAttention(gpu, indices, rows);
  }

  private void assertAttention(GpuAttention gpu, List<BlockIndex> indices, int rows) {
    AttentionCall call = call(indices, layer.shape().keyTokens() % 2 == 1);
    GpuReport report = gpu.attend(call, BlockShape.DEFAULT, work());
    for (int head = 0; head < indices.size(); head++) {
      assertThat(report.cells().get(head))
          .as("cells of %s, head %d", name, head)
          .isEqualTo(indices.get(head).cells());
    }
    new SampledRows(call, indices, rows).assertRight(name, layer.shape().keyTokens());
  }

  private List<BlockIndex> hostIndices() {
    return IntStream.range(0, options.size())
        .parallel()
        .mapToObj(head -> pattern.index(layer.head(head, BlockShape.DEFAULT), options.get(head)))
        .toList();
  }

  private AttentionCall call(List<BlockIndex> indices, boolean wantsLogSumExp) {
    AttentionShape shape = layer.shape();
    ElementType type = layer.queries().type();
    HeadTensor out =
        layout.allocate(type, shape.queryHeads(), shape.queryTokens(), shape.headDim());
    MemorySegment logSumExp =
        wantsLogSumExp
            ? Arena.ofAuto().allocate(4L * shape.queryHeads() * shape.queryTokens(), 4)
            : MemorySegment.NULL;
    return new AttentionCall(
        shape,
        layer.queries(),
        layer.keys(),
        layer.values(),
        out,
        logSumExp,
        layer.softmaxScale(),
        indices);
  }

  /** By the pattern's GPU half, or where it has none, by the host's indices. */
  private List<HeadWork> work() {
    if (pattern.gpu().isEmpty()) {
      return hostIndices().stream()
          .<HeadWork>map(index -> new HeadWork.Indexed(List.of(index)))
          .toList();
    }
    return options.stream()
        .<HeadWork>map(of -> new HeadWork.OnDevice(pattern.gpu().orElseThrow(), of))
        .toList();
  }
}
