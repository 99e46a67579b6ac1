package dev.heddle.bench;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * One layer's inputs and a way to attend.
 *
 * @param layer Q, K and V
 * @param call what the backend is given
 */
record AttentionCase(TestLayer layer, AttentionCall call) {
  private static final int SEED = 1;

  /** Standard normal inputs; {@code density} 1 makes the dense index. */
  static AttentionCase of(AttentionShape shape, ElementType type, double density, double columns) {
    TestLayer layer = new TestTensors(SEED).gaussianLayer(shape, type, Layout.CONTIGUOUS);
    List<BlockIndex> indices =
        density == 1
            ? Collections.nCopies(shape.queryHeads(), BlockIndex.dense(shape, BlockShape.DEFAULT))
            : IntStream.range(0, shape.queryHeads())
                .mapToObj(head -> sparse(shape, density, columns, new Random(SEED + head)))
                .toList();
    return new AttentionCase(layer, layer.call(indices, out(shape, type)));
  }

  /** Operations that the call asks for. */
  double operations() {
    double cells = call.indices().stream().mapToDouble(BlockIndex::cells).sum();
    return 4 * cells * call.shape().headDim();
  }

  static HeadTensor out(AttentionShape shape, ElementType type) {
    return Layout.CONTIGUOUS.allocate(
        type, shape.queryHeads(), shape.queryTokens(), shape.headDim());
  }

  /**
   * About {@code density} of the causal cells: in each row the keys next to the diagonal, and
   * elsewhere blocks and single columns at random.
   *
   * @param columns the share of single columns among the keys away from the diagonal
   */
  private static BlockIndex sparse(
      AttentionShape shape, double density, double columns, Random random) {
    BlockShape blocks = BlockShape.DEFAULT;
    BlockIndexBuilder builder = BlockIndex.builder(shape, blocks);
    for (int row = 0; row < blocks.queryBlocks(shape.queryTokens()); row++) {
      int visible = builder.visibleKeys();
      int keys = (int) (visible * density);
      int single = (int) (keys * columns);
      builder.addRange(builder.firstPosition(), visible);
      for (int key = 0; key < single; key++) {
        builder.addColumn(random.nextInt(visible));
      }
      for (int key = single; key < keys; key += blocks.keyColumns()) {
        int block = random.nextInt(Math.ceilDiv(visible, blocks.keyColumns()));
        builder.addBlock(block * blocks.keyColumns());
      }
      builder.endRow();
    }
    return builder.build();
  }
}
