package dev.heddle.cli;

import dev.heddle.api.AttentionShape;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Backends;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** What {@code bench attention} measured. */
record BenchReport(BenchSize size, long seed, Machine machine, List<OfShape> shapes)
    implements Result {
  private static final double NANOS_PER_SECOND = 1e9;

  /** FLOP of one cell per number of a head: two products, a multiplication and an addition each. */
  private static final double FLOP_PER_CELL_AND_DIM = 4;

  /** Who computed. */
  record Machine(String backend, int threads) {
    boolean isGpu() {
      return backend.equals("cuda");
    }

    String device() {
      return Backends.standard().providers().stream()
          .filter(provider -> provider.name().equals(backend))
          .map(provider -> provider.availability())
          .filter(Available.class::isInstance)
          .map(available -> ((Available) available).detail())
          .findFirst()
          .orElse(backend);
    }

    String describe() {
      return isGpu()
          ? device()
          : Processor.ofMachine().name() + ", " + device() + ", " + threads + " threads";
    }

    String timer() {
      return isGpu() ? "CUDA events" : "wall clock";
    }
  }

  /** The cases of one shape. */
  record OfShape(AttentionShape shape, List<Row> rows) {
    long denseCells() {
      return shape.queryHeads() * shape.causalCells();
    }

    double density(Row row) {
      return (double) row.median().cells() / denseCells();
    }

    /** Floating-point operations a second of the computed cells. */
    double flops(Row row) {
      double flop = FLOP_PER_CELL_AND_DIM * shape.headDim() * row.median().cells();
      return flop * NANOS_PER_SECOND / row.median().attentionNanos();
    }

    /** How many times faster than dense, index included. */
    OptionalDouble overDense(Row row) {
      return rows.stream()
          .filter(other -> other.measured().isDense())
          .mapToDouble(dense -> (double) dense.median().totalNanos() / row.median().totalNanos())
          .findFirst();
    }
  }

  /**
   * One case.
   *
   * @param error of its output against dense attention's, if it was asked for
   */
  record Row(BenchCase measured, BenchMedian median, OptionalDouble error) {}

  @Override
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("backend", machine.backend());
    object.put("device", machine.describe());
    object.put("timer", machine.timer());
    object.put("elementType", type());
    object.put("warmup", size.warmup());
    object.put("repeat", size.repeat());
    object.put("seed", seed);
    object.put("shapes", shapes.stream().map(BenchReport::json).toList());
    return object;
  }

  @Override
  public void print(Console console) {
    console
        .out()
        .printf(
            Locale.ROOT,
            "%s; %s, median of %d after %s; seed %d%n",
            machine.describe(),
            machine.timer(),
            size.repeat(),
            size.warmup() == 0 ? "no warm-up" : "a second of warm-ups",
            seed);
    for (OfShape shape : shapes) {
      print(shape, console);
    }
  }

  private void print(OfShape of, Console console) {
    AttentionShape shape = of.shape();
    console
        .out()
        .printf(
            Locale.ROOT,
            "%n%d heads x %,d tokens, %d key/value heads, head dim %d, %s%n",
            shape.queryHeads(),
            shape.queryTokens(),
            shape.keyValueHeads(),
            shape.headDim(),
            type());
    boolean withError = of.rows().stream().anyMatch(row -> row.error().isPresent());
    Table table = new Table(2);
    List<String> head =
        List.of(
            "pattern",
            "budget",
            "density",
            "index",
            "attention",
            "total",
            "spread",
            machine.isGpu() ? "TFLOP/s" : "GFLOP/s",
            "over dense",
            "error");
    table.row(head.stream().limit(withError ? 10 : 9).toArray(String[]::new));
    for (Row row : of.rows()) {
      table.row(cells(of, row).stream().limit(withError ? 10 : 9).toArray(String[]::new));
    }
    table.print(console.out(), "  ");
  }

  private List<String> cells(OfShape of, Row row) {
    BenchMedian median = row.median();
    OptionalDouble overDense = of.overDense(row);
    return List.of(
        row.measured().pattern().name(),
        row.measured().budget(),
        Shown.percent(of.density(row)),
        millis(median.indexNanos()),
        millis(median.attentionNanos()),
        millis(median.totalNanos()),
        Shown.percent(median.spread()),
        Shown.ratio(of.flops(row) / (machine.isGpu() ? 1e12 : 1e9)),
        overDense.isPresent() ? String.format(Locale.ROOT, "%.2fx", overDense.getAsDouble()) : "-",
        row.error().isPresent()
            ? String.format(Locale.ROOT, "%.4f", row.error().getAsDouble())
            : "-");
  }

  private static String millis(long nanos) {
    return String.format(Locale.ROOT, "%.3f ms", Shown.toMillis(nanos));
  }

  private String type() {
    return size.type().name().toLowerCase(Locale.ROOT);
  }

  private static Map<String, Object> json(OfShape of) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("queryHeads", of.shape().queryHeads());
    object.put("keyValueHeads", of.shape().keyValueHeads());
    object.put("tokens", of.shape().queryTokens());
    object.put("headDim", of.shape().headDim());
    List<Map<String, Object>> cases = new ArrayList<>();
    for (Row row : of.rows()) {
      cases.add(json(of, row));
    }
    object.put("cases", cases);
    return object;
  }

  private static Map<String, Object> json(OfShape of, Row row) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("pattern", row.measured().pattern().name());
    object.put("options", row.measured().options().toMap());
    object.put("density", of.density(row));
    object.put("cells", row.median().cells());
    object.put("indexMillis", Shown.toMillis(row.median().indexNanos()));
    object.put("attentionMillis", Shown.toMillis(row.median().attentionNanos()));
    object.put("totalMillis", Shown.toMillis(row.median().totalNanos()));
    object.put("spread", row.median().spread());
    object.put(
        "totalMillisOfEachRun",
        row.median().samples().stream()
            .map(sample -> Shown.toMillis(sample.totalNanos()))
            .toList());
    object.put("teraflops", of.flops(row) / 1e12);
    row.error().ifPresent(error -> object.put("outputError", error));
    of.overDense(row).ifPresent(ratio -> object.put("overDense", ratio));
    return object;
  }
}
