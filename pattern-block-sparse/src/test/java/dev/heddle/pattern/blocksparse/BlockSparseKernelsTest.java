package dev.heddle.pattern.blocksparse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuCost;
import dev.heddle.api.Options;
import org.junit.jupiter.api.Test;

class BlockSparseKernelsTest {
  private static final Options OPTIONS =
      Options.defaults(new BlockSparsePattern().options()).with(BlockSparsePattern.BLOCKS, 10);

  @Test
  void aHeadTakesTheCellsOfItsBudget() {
    AttentionShape shape = new AttentionShape(1, 1, 1000, 3000, 64);
    assertThat(cost(shape).attentionCells()).isEqualTo(1000.0 * 640);
  }

  @Test
  void aBudgetOfNearlyAllBlocksDoesNotPayForItsIndex() {
    AttentionShape shape = new AttentionShape(1, 1, 700, 700, 64);
    GpuCost cost = cost(shape);
    double dense = shape.causalCells();
    assertThat(cost.attentionCells()).isLessThan(dense);
    assertThat(cost.attentionCells() + cost.indexCells()).isGreaterThan(dense);
  }

  private static GpuCost cost(AttentionShape shape) {
    return new BlockSparseKernels().cost(shape, BlockShape.DEFAULT, OPTIONS).orElseThrow();
  }
}
