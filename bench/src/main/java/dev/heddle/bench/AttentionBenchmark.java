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

/** Causal attention of the vector backend: 8 heads, no groups, all processors. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH sets the parameters and calls the set-up
public class AttentionBenchmark {
  /**
   * What is read: everything, or a tenth of it in blocks, or half in blocks and half in columns.
   */
  public enum Reads {
    DENSE(1, 0),
    TENTH_IN_BLOCKS(0.1, 0),
    TENTH_HALF_IN_COLUMNS(0.1, 0.5);

    final double density;
    final double columns;

    Reads(double density, double columns) {
      this.density = density;
      this.columns = columns;
    }
  }

  @Param({"64", "128"})
  public int headDim;

  @Param({"8192"})
  public int tokens;

  @Param public Reads reads;

  private AttentionCase attention;
  private AttentionBackend backend;

  @Setup
  public void open() {
    AttentionShape shape = new AttentionShape(8, 8, tokens, tokens, headDim);
    attention = AttentionCase.of(shape, ElementType.FLOAT32, reads.density, reads.columns);
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
