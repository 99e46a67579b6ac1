package dev.heddle.bench;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.ElementType;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Backends;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** One query of 8 heads in groups of 4 over all keys, as in generating a token. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH sets the parameters and calls the set-up
public class DecodeBenchmark {
  @Param({"64", "128"})
  public int headDim;

  @Param({"32768"})
  public int tokens;

  private AttentionCase attention;
  private AttentionBackend backend;

  @Setup
  public void open() {
    AttentionShape shape = new AttentionShape(8, 2, 1, tokens, headDim);
    attention = AttentionCase.of(shape, ElementType.FLOAT32, 1, 0);
    backend = Backends.standard().open("vector", Runtime.getRuntime().availableProcessors());
  }

  @TearDown
  public void close() {
    backend.close();
  }

  @Benchmark
  public void attend(Work work) {
    backend.attend(attention.call());
    work.add(attention.operations());
  }
}
