package dev.heddle.bench;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.Backends;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.util.List;
import java.util.ServiceLoader;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What a pattern's index costs beside the attention that it saves: one head, one thread, the
 * pattern's own options. Queries and keys have lines and columns, as those of models have.
 */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH sets the parameters and calls the set-up
public class IndexBenchmark {
  @Param({"a-shape", "vertical-slash", "block-sparse"})
  public String pattern;

  @Param({"32768"})
  public int tokens;

  @Param({"64"})
  public int headDim;

  private SparsePattern sparsePattern;
  private HeadInputs head;
  private Options options;
  private AttentionCall call;
  private AttentionBackend backend;

  @Setup
  public void open() {
    sparsePattern =
        ServiceLoader.load(SparsePattern.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(candidate -> candidate.name().equals(pattern))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no pattern " + pattern));
    AttentionShape shape = new AttentionShape(1, 1, tokens, tokens, headDim);
    TestLayer layer = new TestTensors(1).rotaryLayer(shape, ElementType.FLOAT32, Layout.CONTIGUOUS);
    head = layer.head(0, BlockShape.DEFAULT);
    options = Options.defaults(sparsePattern.options());
    call =
        layer.call(
            List.of(sparsePattern.index(head, options)),
            AttentionCase.out(shape, ElementType.FLOAT32));
    backend = Backends.standard().open("vector", 1);
  }

  @TearDown
  public void close() {
    backend.close();
  }

  @Benchmark
  public BlockIndex index() {
    return sparsePattern.index(head, options);
  }

  @Benchmark
  public void attend() {
    backend.attend(call);
  }
}
