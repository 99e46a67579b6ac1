package dev.heddle.cli;

import dev.heddle.cli.SearchView.Head;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** What a page says of a search. */
final class SearchSections {
  /** A page of so many heads shows them all; of more, layers are opened one by one. */
  private static final int MOST_OPEN = 64;

  private static final int PATTERN_COLOURS = 6;

  private static final String DENSE_STYLE = "pd";

  private final Markup page;
  private final SearchView view;
  private final Map<String, String> patternStyles = new LinkedHashMap<>();

  SearchSections(Markup page, SearchView view) {
    this.page = page;
    this.view = view;
    for (String pattern : view.patterns()) {
      boolean dense = pattern.equals(EvalCommand.DENSE);
      long before =
          patternStyles.keySet().stream().filter(name -> !name.equals(EvalCommand.DENSE)).count();
      patternStyles.put(pattern, dense ? DENSE_STYLE : "p" + before % PATTERN_COLOURS);
    }
  }

  void write() {
    page.element(
        "p",
        "%d heads in %d layers. By what was measured, attention is %s times as fast as dense, indices included; the heads' outputs differ from dense by %s (root mean square)%s."
            .formatted(
                view.heads().size(),
                view.heads().stream().mapToInt(Head::layer).distinct().count(),
                Shown.ratio(view.outcome().speedup()),
                Shown.percent(view.outcome().error()),
                loss()));
    ReportPage.about(page, view.about());
    patterns();
    maps();
    heads();
  }

  private String loss() {
    return view.outcome().loss().isPresent()
        ? String.format(
            Locale.ROOT,
            ", the model's predictions by %.4f nats",
            view.outcome().loss().getAsDouble())
        : "";
  }

  private void patterns() {
    page.element("h2", "Patterns");
    ReportPage.table(
        page,
        1,
        "pattern",
        "heads",
        "density",
        "recall",
        "least recall",
        "error",
        "worst error",
        "cost of dense");
    for (String pattern : view.patterns()) {
      List<Head> heads =
          view.heads().stream().filter(head -> head.pattern().equals(pattern)).toList();
      page.open("tr").element("td", pattern, "class", "left name");
      ReportPage.numbers(
          page,
          Shown.count(heads.size()),
          mean(heads, Head::density),
          mean(heads, Head::recall),
          Shown.percent(heads.stream().mapToDouble(Head::worstRecall).min().orElse(1)),
          mean(heads, Head::error),
          Shown.percent(heads.stream().mapToDouble(Head::worstError).max().orElse(0)),
          mean(heads, Head::cost));
      page.closeLine();
    }
    ReportPage.endTable(page);
    page.element(
        "p",
        "Density: cells read, of those that dense attention reads. Recall: attention mass that lies on the keys read. Error: how far a head's output is from dense, over all queries of a sample or its last ones, whichever is greater. Least and worst are those of one sample. Cost: time, index building included, of dense attention's.",
        "class",
        "quiet");
  }

  private static String mean(List<Head> heads, ToDoubleFunction<Head> value) {
    return Shown.percent(heads.stream().mapToDouble(value).average().orElse(0));
  }

  private void maps() {
    page.element("h2", "By layer and head").open("div", "class", "figures");
    patternMap();
    map("density (% of cells)", Head::density, 0);
    map("recall (% of attention mass)", Head::recall, least(Head::recall));
    map("error of the output (% of dense)", Head::error, 0);
    map("cost (% of dense)", Head::cost, 0);
    page.closeLine();
  }

  /** The least value, rounded down to whole tenths and below 1, so that a scale can begin there. */
  private double least(ToDoubleFunction<Head> value) {
    double least = view.heads().stream().mapToDouble(value).min().orElse(0);
    return Math.floor(Math.min(0.9, least) * 10) / 10;
  }

  private void patternMap() {
    List<HeatMap.Cell> cells =
        view.heads().stream()
            .map(head ->
                new HeatMap.Cell(
                    head.layer(),
                    head.head(),
                    patternStyles.getOrDefault(head.pattern(), DENSE_STYLE),
                    initial(head.pattern()),
                    place(head) + ": " + head.pattern() + " " + head.options()))
            .toList();
    page.open("div");
    map("pattern", cells, List.of());
    page.open("ul", "class", "legend");
    patternStyles.forEach((pattern, style) -> {
      page.open("li").open("svg", "aria-hidden", "true", "width", 16, "height", 16);
      page.open("g", "class", style).empty("rect", "width", 16, "height", 16);
      page.element("text", initial(pattern), "x", 8, "y", 12, "text-anchor", "middle");
      page.close().close().text(" " + pattern).close();
    });
    page.close().closeLine();
  }

  /** A letter for a pattern; a number where another begins with the same. */
  private String initial(String pattern) {
    String first = letter(pattern);
    long same = view.patterns().stream().filter(other -> letter(other).equals(first)).count();
    return same > 1 ? "" + (1 + view.patterns().indexOf(pattern)) : first;
  }

  private static String letter(String pattern) {
    return pattern.isEmpty()
        ? "?"
        : Character.toString(pattern.codePointAt(0)).toUpperCase(Locale.ROOT);
  }

  private void map(String title, ToDoubleFunction<Head> value, double from) {
    double most = view.heads().stream().mapToDouble(value).max().orElse(1);
    double to = Math.max(from + 0.1, Math.ceil(most * 10 - 1e-9) / 10);
    List<HeatMap.Cell> cells =
        view.heads().stream()
            .map(head ->
                new HeatMap.Cell(
                    head.layer(),
                    head.head(),
                    HeatMap.shade((value.applyAsDouble(head) - from) / (to - from)),
                    short4(value.applyAsDouble(head)),
                    place(head) + ": " + Shown.percent(value.applyAsDouble(head))))
            .toList();
    map(title, cells, List.of(Shown.wholePercent(from), Shown.wholePercent(to)));
  }

  private void map(String title, List<HeatMap.Cell> cells, List<String> ends) {
    new HeatMap(
            title,
            "layer (number)",
            "head (number)",
            numbers(view.layers()),
            numbers(view.headsPerLayer()),
            cells,
            ends)
        .write(page);
  }

  /** Percent in at most four characters. */
  private static String short4(double share) {
    return String.format(Locale.ROOT, share < 0.9995 ? "%.1f" : "%.0f", 100 * share);
  }

  private static String place(Head head) {
    return "layer %d, head %d".formatted(head.layer(), head.head());
  }

  private static List<String> numbers(int count) {
    return IntStream.range(0, count).mapToObj(String::valueOf).toList();
  }

  private void heads() {
    page.element("h2", "Each head");
    page.element(
        "p",
        "Weight: what an error of the head does to the model's answers, in nats per squared error; 1 where that was not measured.",
        "class",
        "quiet");
    for (int layer = 0; layer < view.layers(); layer++) {
      int number = layer;
      List<Head> heads = view.heads().stream().filter(head -> head.layer() == number).toList();
      if (!heads.isEmpty()) {
        layer(layer, heads);
      }
    }
  }

  private void layer(int layer, List<Head> heads) {
    boolean shown = view.heads().size() <= MOST_OPEN;
    if (shown) {
      page.open("details", "open", "open");
    } else {
      page.open("details");
    }
    page.open("summary").element("b", "Layer " + layer);
    page.text(
            "density %s, recall %s, error %s"
                .formatted(
                    mean(heads, Head::density),
                    mean(heads, Head::recall),
                    mean(heads, Head::error)))
        .close();
    page.open("div", "class", "even");
    ReportPage.table(
        page,
        3,
        "head",
        "pattern",
        "options",
        "density",
        "recall",
        "least",
        "error",
        "worst",
        "cost of dense",
        "weight");
    heads.forEach(this::row);
    ReportPage.endTable(page);
    page.close().closeLine();
  }

  private void row(Head head) {
    page.open("tr").element("td", "" + head.head(), "class", "left");
    page.element("td", head.pattern(), "class", "left");
    page.element("td", head.options(), "class", "left name");
    ReportPage.numbers(
        page,
        Shown.percent(head.density()),
        Shown.percent(head.recall()),
        Shown.percent(head.worstRecall()),
        Shown.percent(head.error()),
        Shown.percent(head.worstError()),
        Shown.percent(head.cost()),
        String.format(Locale.ROOT, "%.3g", head.weight()));
    page.closeLine();
  }
}
