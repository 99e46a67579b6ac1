package dev.heddle.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuCost;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTables;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.KernelSource;
import dev.heddle.api.Options;
import dev.heddle.kernels.HeadWork;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CrossoverTest {
  /** 5,050 causal cells. */
  private static final AttentionShape SHAPE = new AttentionShape(8, 2, 100, 100, 64);

  private final Crossover crossover = new Crossover(List.of(SHAPE), BlockShape.DEFAULT, 10);

  @Test
  void aHeadRunsDenseWhereThatTakesNoMoreCells() {
    Kernels one = new Kernels("one");
    assertThat(
            crossover.dense(
                List.of(one.head(5000, 49), one.head(5000, 50), one.head(0, 5051), dense())))
        .containsExactly(1, 2);
  }

  @Test
  void headsOfAPatternRunDenseWhereTheySaveNoMoreThanItsLaunchesTake() {
    // 200 ns are 2,000 cells; each head saves 1,000.
    Kernels one = new Kernels("one", 200);
    assertThat(crossover.dense(List.of(one.head(4000, 50), one.head(3000, 1050))))
        .containsExactly(0, 1);
    assertThat(crossover.dense(List.of(one.head(4000, 50), one.head(3000, 1049)))).isEmpty();
  }

  @Test
  void patternsPayForThemselves() {
    Kernels one = new Kernels("one", 200);
    Kernels other = new Kernels("other", 100);
    assertThat(crossover.dense(List.of(one.head(4000, 50), other.head(4000, 40))))
        .containsExactly(0);
  }

  @Test
  void aPatternThatDoesNotSayWhatItTakesRuns() {
    assertThat(crossover.dense(List.of(new Kernels("silent").silent()))).isEmpty();
  }

  @Test
  void sequencesOfABatchAreAddedUp() {
    AttentionShape tail = new AttentionShape(8, 2, 10, 100, 64); // 955 causal cells
    Crossover batch = new Crossover(List.of(SHAPE, tail), BlockShape.DEFAULT, 10);
    Kernels one = new Kernels("one");
    assertThat(batch.dense(List.of(one.head(3002, 0), one.head(3003, 0)))).containsExactly(1);
    assertThat(batch.mostKeyTokens()).isEqualTo(100);
  }

  /** 600 TFLOP/s and 23, at 4 · headDim FLOP to a cell. */
  @Test
  void theDevicesRateDependsOnTheElementType() {
    assertThat(Crossover.of(layer(ElementType.BFLOAT16)).cellsPerNano()).isEqualTo(600_000 / 256.0);
    assertThat(Crossover.of(layer(ElementType.FLOAT32)).cellsPerNano()).isEqualTo(23_000 / 256.0);
  }

  private static HeadWork dense() {
    return new HeadWork.Indexed(List.of(BlockIndex.dense(SHAPE, BlockShape.DEFAULT)));
  }

  private static GpuLayer layer(ElementType type) {
    GpuTensor queries = GpuTensor.contiguous(256, type, 8, 100, 64);
    GpuTensor keys = GpuTensor.contiguous(256, type, 2, 100, 64);
    return new GpuLayer(
        queries,
        keys,
        keys,
        queries,
        0,
        0.125f,
        BlockShape.DEFAULT,
        List.of(GpuSequence.whole(100, 100)));
  }

  /** What a head takes is said by its options' place among those that were made. */
  private static final class Kernels implements GpuKernels {
    private final String name;
    private final long layerNanos;
    private final IdentityHashMap<Options, GpuCost> costs = new IdentityHashMap<>();

    Kernels(String name) {
      this(name, 0);
    }

    Kernels(String name, long layerNanos) {
      this.name = name;
      this.layerNanos = layerNanos;
    }

    HeadWork head(double attentionCells, double indexCells) {
      Options options = Options.defaults(List.of());
      costs.put(options, new GpuCost(attentionCells, indexCells, layerNanos));
      return new HeadWork.OnDevice(this, options);
    }

    HeadWork silent() {
      return new HeadWork.OnDevice(this, Options.defaults(List.of()));
    }

    @Override
    public Optional<GpuCost> cost(AttentionShape shape, BlockShape blocks, Options options) {
      return Optional.ofNullable(costs.get(options));
    }

    @Override
    public KernelSource source() {
      return new KernelSource(name, Optional::empty);
    }

    @Override
    public boolean readsAll(AttentionShape shape, Options options) {
      return false;
    }

    @Override
    public long scratchBytes(GpuCall call) {
      return 0;
    }

    @Override
    public GpuIndex index(GpuCall call, GpuTables tables, GpuQueue queue) {
      return GpuIndex.COMPUTED;
    }
  }
}
