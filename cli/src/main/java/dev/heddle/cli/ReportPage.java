package dev.heddle.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * One HTML file that says what a search or an evaluation found: its style and pictures are in it,
 * nothing is fetched and nothing is run.
 */
final class ReportPage {
  /** About the largest page: a row for each of a few thousand heads. */
  static final long MOST_BYTES = 8L << 20;

  /** A browser is told so as well: should a name ever get through, it could do nothing. */
  private static final String NOTHING_FROM_OUTSIDE =
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

  private final Markup page = new Markup();

  private ReportPage() {}

  /** The page with all of {@code views}, one after the other. */
  static String of(List<ReportView> views) {
    return new ReportPage().write(views);
  }

  private String write(List<ReportView> views) {
    page.open("html", "lang", "en").open("head").empty("meta", "charset", "utf-8");
    page.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    page.empty("meta", "http-equiv", "Content-Security-Policy", "content", NOTHING_FROM_OUTSIDE);
    page.element(
        "title",
        views.stream().map(ReportPage::title).distinct().collect(Collectors.joining("; ")));
    page.style(sheet()).closeLine().open("body").open("main");
    for (ReportView view : views) {
      page.open("article").element("h1", title(view));
      switch (view) {
        case SearchView search -> new SearchSections(page, search).write();
        case EvalView eval -> new EvalSections(page, eval).write();
      }
      page.closeLine();
    }
    page.element("p", "Written by heddle " + Version.number() + ".", "class", "quiet");
    page.close().close().close();
    return page.page();
  }

  private static String title(ReportView view) {
    String model = Shown.fileName(view.model());
    return switch (view) {
      case SearchView _ -> "Heads found for " + model;
      case EvalView _ -> "Heads judged on " + model;
    };
  }

  private static String sheet() {
    try (InputStream sheet = ReportPage.class.getResourceAsStream("report.css")) {
      return new String(Objects.requireNonNull(sheet).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException failed) {
      throw new UncheckedIOException("the style sheet of reports cannot be read", failed);
    }
  }

  /** What is said of the whole, as a list of names and values. */
  static void about(Markup page, Map<String, String> about) {
    page.open("dl");
    about.forEach((name, value) -> page.element("dt", name).element("dd", value));
    page.closeLine();
  }

  /**
   * Begins a table that can be moved sideways where the window is narrow; the caller ends both.
   *
   * @param left how many columns, the first ones, are texts
   */
  static void table(Markup page, int left, String... columns) {
    page.open("div", "class", "wide").open("table").open("thead").open("tr");
    for (int column = 0; column < columns.length; column++) {
      page.element("th", columns[column], "scope", "col", "class", column < left ? "left" : "");
    }
    page.close().close().open("tbody");
  }

  /** Ends a table. */
  static void endTable(Markup page) {
    page.close().close().closeLine();
  }

  /** Cells that are numbers. */
  static void numbers(Markup page, String... values) {
    for (String value : values) {
      page.element("td", value);
    }
  }
}
