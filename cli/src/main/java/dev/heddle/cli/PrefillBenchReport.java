package dev.heddle.cli;

import dev.heddle.llm.MemoryEstimate;
import dev.heddle.llm.ModelConfig;
import dev.heddle.llm.PrefillTimes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** What {@code bench prefill} measured, or with a dry run what it would need. */
record PrefillBenchReport(Setting setting, List<Plan> plans, List<Row> rows) implements Result {
  static final String DENSE = "dense";

  /** What was read by whom. */
  record Setting(String model, ModelConfig config, int repeat) {}

  /**
   * What is read how.
   *
   * @param heads {@link #DENSE} or the name of a heads file
   * @param tokens length of the prompt
   * @param chunkTokens tokens that are read at once
   */
  record Case(String heads, int tokens, int chunkTokens) {
    boolean inChunks() {
      return chunkTokens < tokens;
    }

    /** The heads, and the chunks where there are some. */
    String name() {
      return heads + ChunkOption.shown(chunkTokens, tokens);
    }

    private boolean readsAs(Case other) {
      return tokens == other.tokens && chunkTokens == other.chunkTokens;
    }
  }

  /** The memory of one case. */
  record Plan(Case measured, MemoryEstimate needed, long availableBytes) {}

  /**
   * The fastest run of one case.
   *
   * @param nanosPerToken time of one token behind the prompt; 0 where that was not measured
   */
  record Row(Case measured, PrefillTimes times, long nanosPerToken) {
    String tokensPerSecond() {
      return nanosPerToken == 0 ? "" : Shown.ratio(1 / Shown.toSeconds(nanosPerToken));
    }
  }

  @Override
  public boolean succeeded() {
    return plans.stream().allMatch(plan -> plan.needed().bytes() <= plan.availableBytes());
  }

  @Override
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("model", setting.model());
    object.put("repeat", setting.repeat());
    object.put("memory", plans.stream().map(PrefillBenchReport::json).toList());
    object.put("runs", rows.stream().map(this::json).toList());
    return object;
  }

  @Override
  public void print(Console console) {
    if (rows.isEmpty()) {
      printPlans(console);
      return;
    }
    console
        .out()
        .printf(
            Locale.ROOT,
            "%s: %s; fastest of %d%n",
            setting.model(),
            Shown.sizes(setting.config().attention()),
            setting.repeat());
    Table table = new Table(2);
    table.row(
        "tokens",
        "heads",
        "density",
        "projections",
        "feed-forward",
        "TFLOP/s",
        "index",
        "attention",
        "other",
        "total",
        "over dense",
        rows.stream().anyMatch(row -> row.nanosPerToken() > 0) ? "new tokens/s" : "");
    for (Row row : rows) {
      PrefillTimes times = row.times();
      OptionalDouble overDense = overDense(row);
      table.row(
          Shown.count(row.measured().tokens()),
          row.measured().name(),
          Shown.percent(times.density()),
          Shown.millis(times.projectionNanos()),
          Shown.millis(times.feedForwardNanos()),
          String.format(Locale.ROOT, "%.0f", productFlops(row) / 1e12),
          Shown.millis(times.indexNanos()),
          Shown.millis(times.attentionNanos()),
          Shown.millis(times.otherNanos()),
          Shown.seconds(times.totalNanos()),
          overDense.isPresent() ? Shown.ratio(overDense.getAsDouble()) + "x" : "",
          row.tokensPerSecond());
    }
    table.print(console.out(), "  ");
  }

  private void printPlans(Console console) {
    Table table = new Table(2);
    table.row("tokens", "heads", "keys and values", "to compute", "together", "free", "");
    for (Plan plan : plans) {
      table.row(
          Shown.count(plan.measured().tokens()),
          plan.measured().name(),
          gibibytes(plan.needed().cacheBytes()),
          gibibytes(plan.needed().activationBytes()),
          gibibytes(plan.needed().bytes()),
          gibibytes(plan.availableBytes()),
          plan.needed().bytes() <= plan.availableBytes() ? "fits" : "does not fit");
    }
    console.out().println("Memory of the GPU beside the weights, GiB");
    table.print(console.out(), "  ");
  }

  private static String gibibytes(long bytes) {
    return String.format(Locale.ROOT, "%.2f", Shown.gibibytes(bytes));
  }

  private static Map<String, Object> json(Case measured) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("tokens", measured.tokens());
    object.put("heads", measured.heads());
    if (measured.inChunks()) {
      object.put("chunkTokens", measured.chunkTokens());
    }
    return object;
  }

  private static Map<String, Object> json(Plan plan) {
    Map<String, Object> object = json(plan.measured());
    object.put("keyValueBytes", plan.needed().cacheBytes());
    object.put("computeBytes", plan.needed().activationBytes());
    object.put("freeBytes", plan.availableBytes());
    return object;
  }

  private Map<String, Object> json(Row row) {
    PrefillTimes times = row.times();
    Map<String, Object> object = json(row.measured());
    object.put("density", times.density());
    object.put("projectionSeconds", Shown.toSeconds(times.projectionNanos()));
    object.put("feedForwardSeconds", Shown.toSeconds(times.feedForwardNanos()));
    object.put("productTeraflops", productFlops(row) / 1e12);
    object.put("indexSeconds", Shown.toSeconds(times.indexNanos()));
    object.put("attentionSeconds", Shown.toSeconds(times.attentionNanos()));
    object.put("otherSeconds", Shown.toSeconds(times.otherNanos()));
    object.put("totalSeconds", Shown.toSeconds(times.totalNanos()));
    overDense(row).ifPresent(ratio -> object.put("overDense", ratio));
    if (row.nanosPerToken() > 0) {
      object.put("secondsPerNewToken", Shown.toSeconds(row.nanosPerToken()));
    }
    return object;
  }

  /** Floating-point operations a second of projections and feed-forward parts. */
  private double productFlops(Row row) {
    ModelConfig config = setting.config();
    long projections = 2L * config.queryWidth() + 2L * config.keyValueWidth();
    long weights = config.hiddenSize() * (projections + 3L * config.intermediateSize());
    long inputs = (long) config.hiddenSize() * (config.queryWidth() + 2L * config.keyValueWidth());
    long layers = config.attention().layers();
    // Of the last layer only the last token is finished, in chunks as in one pass.
    double flop = 2.0 * row.measured().tokens() * ((layers - 1) * weights + inputs);
    PrefillTimes times = row.times();
    return flop / Shown.toSeconds(times.projectionNanos() + times.feedForwardNanos());
  }

  /** How many times as long dense attention takes, in the same chunks. */
  OptionalDouble overDense(Row row) {
    return rows.stream()
        .filter(other -> other.measured().heads().equals(DENSE))
        .filter(other -> other.measured().readsAs(row.measured()))
        .mapToDouble(dense -> (double) dense.times().totalNanos() / row.times().totalNanos())
        .findFirst();
  }
}
