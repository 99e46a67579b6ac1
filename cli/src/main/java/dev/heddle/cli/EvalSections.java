package dev.heddle.cli;

import dev.heddle.search.EvalRow;
import dev.heddle.search.EvalTask;
import dev.heddle.search.Proportion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What a page says of an evaluation. */
final class EvalSections {
  private static final int BAR_WIDTH = 140;
  private static final int BAR_HEIGHT = 16;

  private final Markup page;
  private final EvalView view;

  EvalSections(Markup page, EvalView view) {
    this.page = page;
    this.view = view;
  }

  void write() {
    String lengths =
        view.rows().stream()
            .map(EvalRow::tokens)
            .distinct()
            .sorted()
            .map(Shown::count)
            .collect(Collectors.joining(", "));
    page.element(
        "p",
        "%s on the same prompts, of %s tokens. Intervals are Wilson's at 95 %%; times are medians of the prompts, on the machine that computed."
            .formatted(
                view.heads().size() == 1
                    ? "One choice of heads"
                    : view.heads().size() + " choices of heads",
                lengths));
    Map<String, String> about = new LinkedHashMap<>(view.about());
    for (int i = 0; i < view.heads().size(); i++) {
      about.put("heads " + (i + 1), view.heads().get(i));
    }
    ReportPage.about(page, about);
    for (EvalTask task : EvalTask.values()) {
      if (!view.of(task).isEmpty()) {
        write(task);
      }
    }
    times();
  }

  private void write(EvalTask task) {
    page.element("h2", heading(task));
    if (view.unanswered(task)) {
      page.element(
          "p",
          "The model answers no question of this task with dense attention: nothing is said about the heads here.");
    }
    boolean text = task == EvalTask.TEXT;
    if (text) {
      ReportPage.table(
          page,
          1,
          "heads",
          "tokens",
          "bits per byte",
          "over dense",
          "time to read",
          "over dense",
          "density");
    } else {
      ReportPage.table(
          page,
          1,
          "heads",
          "tokens",
          "right",
          "95 % interval",
          "first token",
          "over dense",
          "density");
    }
    List<EvalRow> rows = task == EvalTask.NEEDLE ? overDepths() : view.of(task);
    int tokens = 0;
    for (EvalRow row : rows) {
      page.open("tr", "class", row.tokens() == tokens || tokens == 0 ? "" : "first");
      row(row, rows);
      tokens = row.tokens();
      page.closeLine();
    }
    ReportPage.endTable(page);
    if (task == EvalTask.NEEDLE) {
      needles();
    }
  }

  private static String heading(EvalTask task) {
    String words = task.description();
    return words.substring(0, 1).toUpperCase(Locale.ROOT) + words.substring(1);
  }

  private void row(EvalRow row, List<EvalRow> rows) {
    page.element("td", view.label(row.heads()), "class", "left name");
    page.element("td", Shown.count(row.tokens()));
    Optional<EvalRow> dense =
        rows.stream()
            .filter(
                other -> other.heads().equals(EvalCommand.DENSE) && other.tokens() == row.tokens())
            .findFirst();
    if (row.bitsPerByte().isPresent()) {
      page.element("td", String.format(Locale.ROOT, "%.4f", row.bitsPerByte().getAsDouble()));
      page.element("td", dense.map(other -> change(row, other)).orElse(""));
    } else {
      page.element(
          "td",
          row.answers().map(answers -> answers.right() + " of " + answers.asked()).orElse(""));
      page.open("td");
      row.answers().ifPresent(this::interval);
      page.close();
    }
    ReportPage.numbers(
        page,
        Shown.seconds(row.firstTokenNanos()),
        dense
            .filter(other -> row.firstTokenNanos() > 0 && !row.heads().equals(other.heads()))
            .map(other ->
                Shown.ratio((double) other.firstTokenNanos() / row.firstTokenNanos()) + "x")
            .orElse(""),
        Shown.percent(row.density()));
  }

  private static String change(EvalRow row, EvalRow dense) {
    double from = dense.bitsPerByte().orElse(0);
    return row.heads().equals(dense.heads()) || from <= 0
        ? ""
        : String.format(Locale.ROOT, "%+.2f %%", 100 * (row.bitsPerByte().orElse(0) / from - 1));
  }

  /** The interval as a band, the share as a dot on it, 0 to 100 % from left to right. */
  private void interval(Proportion answers) {
    int left = 4;
    int width = BAR_WIDTH - 2 * left;
    int low = left + (int) Math.round(answers.low() * width);
    int high = left + (int) Math.round(answers.high() * width);
    page.open("svg", "aria-hidden", "true", "width", BAR_WIDTH, "height", BAR_HEIGHT);
    page.empty(
        "rect", "class", "track", "x", left, "y", 4, "width", width, "height", BAR_HEIGHT - 8);
    page.empty(
        "rect",
        "class",
        "band",
        "x",
        low,
        "y",
        4,
        "width",
        Math.max(1, high - low),
        "height",
        BAR_HEIGHT - 8);
    page.empty(
        "circle",
        "class",
        "dot",
        "cx",
        left + (int) Math.round(answers.share() * width),
        "cy",
        BAR_HEIGHT / 2,
        "r",
        4);
    page.close()
        .text(
            String.format(Locale.ROOT, "%.0f–%.0f %%", 100 * answers.low(), 100 * answers.high()));
  }

  /** The needles of all depths of a length together. */
  private List<EvalRow> overDepths() {
    List<EvalRow> together = new ArrayList<>();
    List<EvalRow> needles = view.of(EvalTask.NEEDLE);
    for (int tokens : needles.stream().map(EvalRow::tokens).distinct().sorted().toList()) {
      for (String heads : view.heads()) {
        List<EvalRow> rows =
            needles.stream()
                .filter(row -> row.tokens() == tokens && row.heads().equals(heads))
                .toList();
        if (!rows.isEmpty()) {
          together.add(together(rows));
        }
      }
    }
    return together;
  }

  private static EvalRow together(List<EvalRow> rows) {
    EvalRow first = rows.getFirst();
    long[] nanos = rows.stream().mapToLong(EvalRow::firstTokenNanos).sorted().toArray();
    return new EvalRow(
        first.heads(),
        first.task(),
        first.tokens(),
        OptionalDouble.empty(),
        rows.stream().mapToInt(EvalRow::prompts).sum(),
        rows.stream().flatMap(row -> row.answers().stream()).reduce(Proportion::plus),
        OptionalDouble.empty(),
        nanos[nanos.length / 2],
        rows.stream().mapToDouble(EvalRow::density).average().orElse(1));
  }

  private void needles() {
    NeedleGrid grid = NeedleGrid.of(view, "the evaluation");
    page.open("div", "class", "figures");
    for (int panel = 0; panel < grid.heads().size(); panel++) {
      List<HeatMap.Cell> cells = new ArrayList<>();
      for (int row = 0; row < grid.depths().size(); row++) {
        for (int column = 0; column < grid.tokens().size(); column++) {
          cells.addAll(cell(grid, panel, row, column));
        }
      }
      new HeatMap(
              grid.label(panel),
              "depth of the fact (%)",
              "length of the prompt (tokens)",
              grid.depths().stream().map(NeedleGrid::depth).toList(),
              grid.tokens().stream().map(Shown::count).toList(),
              cells,
              List.of("0 % right", "100 %"))
          .write(page);
    }
    page.closeLine();
  }

  private static List<HeatMap.Cell> cell(NeedleGrid grid, int panel, int row, int column) {
    return grid.at(panel, column, row).flatMap(EvalRow::answers).stream()
        .map(answers ->
            new HeatMap.Cell(
                row,
                column,
                HeatMap.shade(answers.share()),
                answers.right() + "/" + answers.asked(),
                "%s tokens, depth %s %%: %d of %d right"
                    .formatted(
                        Shown.count(grid.tokens().get(column)),
                        NeedleGrid.depth(grid.depths().get(row)),
                        answers.right(),
                        answers.asked())))
        .toList();
  }

  /** Times against lengths, where there are several. */
  private void times() {
    Optional<EvalTask> task =
        Arrays.stream(EvalTask.values()).filter(one -> !view.of(one).isEmpty()).findFirst();
    List<EvalRow> rows =
        task.map(one -> one == EvalTask.NEEDLE ? overDepths() : view.of(one)).orElse(List.of());
    if (rows.stream().map(EvalRow::tokens).distinct().count() < 2
        || rows.stream().anyMatch(row -> row.firstTokenNanos() <= 0)) {
      return;
    }
    page.element("h2", "Time against length");
    List<SpeedView.Line> lines =
        IntStream.range(0, view.heads().size())
            .mapToObj(heads -> line(view.heads().get(heads), rows))
            .filter(line -> !line.times().isEmpty())
            .toList();
    new LineChart(
            new SpeedView(
                "Task " + task.orElseThrow().key(), "", "time to the first token (s)", lines))
        .write(page);
  }

  private SpeedView.Line line(String heads, List<EvalRow> rows) {
    TreeMap<Integer, Double> times = new TreeMap<>();
    rows.stream()
        .filter(row -> row.heads().equals(heads))
        .forEach(row -> times.put(row.tokens(), Shown.toSeconds(row.firstTokenNanos())));
    return new SpeedView.Line(view.label(heads), "", heads.equals(EvalCommand.DENSE), times);
  }
}
