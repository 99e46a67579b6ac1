package dev.heddle.bench;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.MatrixProducts;
import dev.heddle.kernels.MatrixProducts.Weight;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestTensors;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Products of activations with a weight, as a decoder layer does them, on all processors. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH sets the parameters and calls the set-up
public class MatrixBenchmark {
  @Param({"32768x704x256", "32768x256x704", "2048x2048x2048", "1x4096x4096"})
  public String tokensOutputsInputs;

  @Param({"FLOAT32", "BFLOAT16"})
  public ElementType type;

  private MatrixProducts products;
  private MemorySegment in;
  private int tokens;
  private Weight weight;
  private MemorySegment out;

  @Setup
  public void open() {
    String[] sizes = tokensOutputsInputs.split("x", 3);
    tokens = Integer.parseInt(sizes[0]);
    int outputs = Integer.parseInt(sizes[1]);
    int inputs = Integer.parseInt(sizes[2]);
    TestTensors tensors = new TestTensors(1);
    in = tensors.gaussian(Layout.CONTIGUOUS, ElementType.FLOAT32, 1, tokens, inputs).memory();
    MemorySegment memory = tensors.gaussian(Layout.CONTIGUOUS, type, 1, outputs, inputs).memory();
    weight = new Weight(memory, type, outputs, inputs);
    out = Layout.CONTIGUOUS.allocate(ElementType.FLOAT32, 1, tokens, outputs).memory();
    int threads = Runtime.getRuntime().availableProcessors();
    products = Backends.standard().openMatrixProducts("vector", threads);
  }

  @TearDown
  public void close() {
    products.close();
  }

  @Benchmark
  public void multiply(Work work) {
    products.multiply(in, tokens, weight, out);
    work.add(2.0 * tokens * weight.outputs() * weight.inputs());
  }
}
