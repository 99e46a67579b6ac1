package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.GpuTensors;
import dev.heddle.kernels.HeadWork;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.SparseAttention;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is asked of a device, without one. */
class DeviceBenchTest {
  private static final AttentionShape SHAPE = new AttentionShape(2, 1, 300, 300, 32);

  private final PatternRegistry registry = PatternRegistry.discover();
  private final FakeTensors tensors = new FakeTensors();

  @Test
  void theInputsAreUploadedOnceAndTheTimesAreTheDevices() {
    BenchSample sample = sample(BenchCase.dense(registry), 3);
    assertThat(tensors.uploads).isOne();
    assertThat(tensors.work).hasSize(3);
    assertThat(tensors.closed).isTrue();
    assertThat(sample).isEqualTo(new BenchSample(11, 31, 42));
  }

  @Test
  void patternsWithKernelsBuildTheirIndexOnTheDevice() {
    BenchCase aShape = BenchCase.of("a-shape", Map.of("sink", "1"), registry);
    boolean built = aShape.pattern().gpu().orElseThrow().source().isPresent();
    sample(aShape, 1);
    // A build without nvcc has no kernels: then the host builds the index.
    assertThat(tensors.work.getFirst())
        .hasSize(2)
        .allMatch(work -> built == work instanceof HeadWork.OnDevice);
  }

  @Test
  void patternsWithoutKernelsAreIndexedByTheHost() {
    SparsePatterns.Window window = new SparsePatterns.Window();
    PatternRegistry others = PatternRegistry.builder().add(window).build();
    BenchSample sample = sample(BenchCase.of("window", Map.of(), others), 1, others);
    assertThat(tensors.work.getFirst())
        .hasSize(2)
        .allSatisfy(work -> {
          HeadWork.Indexed indexed = (HeadWork.Indexed) work;
          assertThat(indexed.indices().getFirst().isDense()).isFalse();
        });
    assertThat(sample.indexNanos()).isGreaterThan(11);
    assertThat(sample.attentionNanos()).isEqualTo(31);
  }

  private BenchSample sample(BenchCase measured, int runs) {
    return sample(measured, runs, registry);
  }

  private BenchSample sample(BenchCase measured, int runs, PatternRegistry patterns) {
    try (Arena arena = Arena.ofShared();
        BenchRunner bench =
            new DeviceBench(
                new Here(),
                tensors,
                heads -> host(heads, patterns),
                StructuredLayer.make(SHAPE, ElementType.FLOAT32, 1, arena),
                arena);
        BenchRunner.Run run = bench.prepare(measured)) {
      BenchSample last = run.once();
      for (int i = 1; i < runs; i++) {
        last = run.once();
      }
      return last;
    }
  }

  private static SparseAttention host(HeadsConfig heads, PatternRegistry patterns) {
    return SparseAttention.builder()
        .registry(patterns)
        .heads(heads)
        .backend("reference")
        .denseBelow(0)
        .build();
  }

  /** Takes every kernel. */
  private record Here() implements DeviceBench.Access {
    @Override
    public boolean canRun(KernelSource kernels) {
      return kernels.isPresent();
    }

    @Override
    public HeadTensor download(GpuTensor tensor, Arena arena) {
      return StructuredLayer.allocate(
          arena, tensor.type(), tensor.heads(), tensor.tokens(), tensor.headDim());
    }
  }

  /** Remembers what is asked. */
  private static final class FakeTensors implements GpuTensors {
    private final List<List<HeadWork>> work = new ArrayList<>();
    private int uploads;
    private boolean closed;

    @Override
    public GpuLayer layer() {
      GpuTensor q = GpuTensor.contiguous(256, ElementType.FLOAT32, 2, 300, 32);
      GpuTensor k = GpuTensor.contiguous(256, ElementType.FLOAT32, 1, 300, 32);
      List<GpuSequence> one = List.of(GpuSequence.whole(300, 300));
      return new GpuLayer(q, k, k, q, 0, 1, BlockShape.DEFAULT, one);
    }

    @Override
    public void upload(HeadTensor queries, HeadTensor keys, HeadTensor values) {
      uploads++;
    }

    @Override
    public GpuReport attend(List<HeadWork> heads) {
      work.add(heads);
      return new GpuReport(List.of(40L, 2L), 11, 31);
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
