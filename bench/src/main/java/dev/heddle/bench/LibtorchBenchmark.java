package dev.heddle.bench;

import ai.djl.translate.TranslateException;
import dev.heddle.api.AttentionShape;
import dev.heddle.api.ElementType;
import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Causal attention of libtorch at the sizes of {@link AttentionBenchmark}, all processors. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH sets the parameters and calls the set-up
public class LibtorchBenchmark {
  @Param({"64", "128"})
  public int headDim;

  @Param({"8192"})
  public int tokens;

  @Param({"FLOAT32", "BFLOAT16"})
  public ElementType type;

  private AttentionCase attention;
  private LibtorchAttention libtorch;

  @Setup
  public void open() throws IOException, TranslateException {
    AttentionShape shape = new AttentionShape(8, 8, tokens, tokens, headDim);
    attention = AttentionCase.of(shape, ElementType.FLOAT32, 1, 0);
    LibtorchFunction.prepare(Runtime.getRuntime().availableProcessors());
    libtorch = new LibtorchAttention(attention.layer(), type);
  }

  @TearDown
  public void close() {
    libtorch.close();
  }

  @Benchmark
  public void attend(Work work) throws TranslateException {
    libtorch.attend();
    work.add(attention.operations());
  }
}
