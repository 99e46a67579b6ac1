package dev.heddle.cli;

import dev.heddle.api.HeadTensor;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.Prefill;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.lang.foreign.Arena;
import java.util.function.Function;

/** Runs cases on the processor, through the façade that every user calls; times are wall clock. */
final class HostBench implements BenchRunner {
  private final Function<HeadsConfig, SparseAttention> open;
  private final Prefill prefill;

  /**
   * Takes memory for the output.
   *
   * @param open opens a façade that computes every head as assigned
   * @param arena where the layer lives
   */
  HostBench(Function<HeadsConfig, SparseAttention> open, StructuredLayer layer, Arena arena) {
    this.open = open;
    HeadTensor q = layer.queries();
    HeadTensor out = StructuredLayer.allocate(arena, q.type(), q.heads(), q.tokens(), q.headDim());
    this.prefill = Prefill.of(q, layer.keys(), layer.values(), out);
  }

  @Override
  public Run prepare(BenchCase measured) {
    HeadTensor q = prefill.queries();
    ModelShape model = new ModelShape(1, q.heads(), prefill.keys().heads(), q.headDim());
    SparseAttention attention =
        open.apply(
            HeadsConfig.uniform(model, measured.pattern().name(), measured.options().toMap()));
    return new Run() {
      @Override
      public BenchSample once() {
        PrefillReport report = attention.prefill(0, prefill);
        long cells = report.heads().stream().mapToLong(PrefillReport.Head::cells).sum();
        return new BenchSample(report.indexNanos(), report.attentionNanos(), cells);
      }

      @Override
      public void close() {
        attention.close();
      }
    };
  }

  @Override
  public HeadTensor output(Arena arena) {
    return prefill.out();
  }

  @Override
  public void close() {
    // the memory is the arena's
  }
}
