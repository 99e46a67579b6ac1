package dev.heddle.cli;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.Prefill;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Looks at every head: computes each layer again, densely and as the heads file says. */
final class ModelPlot implements PlotWork {
  private static final long ALIGNMENT = 64;

  private final Setting setting;
  private final ModelShape shape;
  private final SparseAttention dense;
  private final SparseAttention sparse;
  private final Arena arena = Arena.ofShared();
  private final HeadTensor out;
  private final MemorySegment denseLogSumExp;
  private final MemorySegment logSumExp;
  private final List<List<Measured>> layers = new ArrayList<>();

  ModelPlot(Setting setting, Engine engine) {
    this.setting = setting;
    this.shape = setting.plan().shape();
    this.dense = engine.attention(ModelHeads.dense(shape));
    this.sparse = engine.attention(setting.heads());
    long rows = (long) shape.queryHeads() * setting.tokens();
    this.out =
        HeadTensor.interleaved(
            allocate(rows * shape.headDim()),
            ElementType.FLOAT32,
            shape.queryHeads(),
            setting.tokens(),
            shape.headDim());
    this.denseLogSumExp = allocate(rows);
    this.logSumExp = allocate(rows);
  }

  /**
   * One head.
   *
   * @param density cells of the index as a share of the causal cells
   * @param recall share of the softmax mass that the index covers, the mean over the queries
   * @param error the root of the squared differences of its output from dense over its squares
   */
  record Measured(String pattern, double density, double recall, double error) {}

  /** What came of it: {@code layers[layer][head]}. */
  record Seen(Setting setting, List<List<Measured>> layers) {}

  private MemorySegment allocate(long floats) {
    return arena.allocate(floats * Float.BYTES, ALIGNMENT);
  }

  @Override
  public void look(int layer, Prefill attention) {
    dense.prefill(layer, again(attention, denseLogSumExp));
    PrefillReport report = sparse.prefill(layer, again(attention, logSumExp));
    layers.add(
        IntStream.range(0, shape.queryHeads())
            .mapToObj(head -> measured(report.heads().get(head), head, attention.out()))
            .toList());
  }

  /** The output of the dense reading stays as it is: the model goes on with it. */
  private Prefill again(Prefill attention, MemorySegment logSums) {
    return new Prefill(
        attention.queries(),
        attention.keys(),
        attention.values(),
        out,
        logSums,
        attention.softmaxScale());
  }

  private Measured measured(PrefillReport.Head head, int number, HeadTensor denseOut) {
    return new Measured(
        head.pattern(),
        (double) head.cells() / head.causalCells(),
        finiteOr(0, recall(number)),
        finiteOr(1, OutputError.relative(out.head(number), denseOut.head(number))));
  }

  /** Numbers that are none count as the worst. */
  private static double finiteOr(double worst, double value) {
    return Double.isFinite(value) ? value : worst;
  }

  /** {@code mean exp(lse - dense lse)}: each is the logarithm of a sum over the keys read. */
  private double recall(int head) {
    int tokens = setting.tokens();
    double kept = 0;
    for (long row = (long) head * tokens; row < (head + 1L) * tokens; row++) {
      kept +=
          Math.exp(
              (double) logSumExp.getAtIndex(ValueLayout.JAVA_FLOAT, row)
                  - denseLogSumExp.getAtIndex(ValueLayout.JAVA_FLOAT, row));
    }
    return Math.min(1, kept / tokens); // float32 sums may differ in the last digit
  }

  @Override
  public Canvas paint() {
    return new ModelPicture(new Seen(setting, layers)).paint();
  }

  @Override
  public Result result() {
    return new Report(new Seen(setting, layers));
  }

  @Override
  public void close() {
    dense.close();
    sparse.close();
    arena.close();
  }

  /** The picture in numbers. */
  private record Report(Seen seen) implements Result {
    @Override
    public Map<String, Object> json() {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("out", seen.setting().out());
      object.put("model", seen.setting().model());
      object.put("tokens", seen.setting().tokens());
      object.put("density", mean());
      object.put(
          "layers",
          seen.layers().stream().map(layer -> layer.stream().map(Report::json).toList()).toList());
      return object;
    }

    private double mean() {
      return seen.layers().stream()
          .flatMap(List::stream)
          .mapToDouble(Measured::density)
          .average()
          .orElse(1);
    }

    private static Map<String, Object> json(Measured head) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("pattern", head.pattern());
      object.put("density", head.density());
      object.put("recall", head.recall());
      object.put("error", head.error());
      return object;
    }

    @Override
    public void print(Console console) {
      double least =
          seen.layers().stream()
              .flatMap(List::stream)
              .mapToDouble(Measured::recall)
              .min()
              .orElse(1);
      console
          .out()
          .println(
              "%d layers, %d heads each: density %s, least recall of a head %s of the softmax mass; picture in %s"
                  .formatted(
                      seen.layers().size(),
                      seen.layers().getFirst().size(),
                      Shown.percent(mean()),
                      Shown.percent(least),
                      seen.setting().out()));
    }
  }
}
