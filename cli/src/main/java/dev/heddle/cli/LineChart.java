package dev.heddle.cli;

import dev.heddle.cli.SpeedView.Line;
import java.util.List;
import java.util.Map;

/** Times against lengths as SVG within a page, both on logarithmic axes. */
final class LineChart {
  private static final int LEFT = 64;
  private static final int TOP = 10;
  private static final int WIDTH = 250;
  private static final int HEIGHT = 220;
  private static final int RIGHT = 20;
  private static final int BELOW = 46;
  private static final int NARROWEST_TICK = 56;

  private final SpeedView view;
  private final LogAxis tokens;
  private final LogAxis times;

  LineChart(SpeedView view) {
    this.view = view;
    this.tokens = view.tokenAxis();
    this.times = view.timeAxis();
  }

  /** Writes it as a figure with its title, and a legend below. */
  void write(Markup page) {
    page.open("figure").element("figcaption", view.title());
    page.open(
        "svg",
        "role",
        "img",
        "aria-label",
        view.title(),
        "width",
        LEFT + WIDTH + RIGHT,
        "height",
        TOP + HEIGHT + BELOW);
    axes(page);
    for (int line = 0; line < view.lines().size(); line++) {
      write(page, view.lines().get(line), style(line));
    }
    page.close().open("ul", "class", "legend");
    for (int line = 0; line < view.lines().size(); line++) {
      page.open("li").open("svg", "aria-hidden", "true", "width", 16, "height", 14);
      page.open("g", "class", style(line).name());
      sign(page, style(line).sign(), 8, 7);
      page.close().close().text(" " + view.lines().get(line).name()).close();
    }
    page.close().closeLine();
  }

  /** The class of a line in the style sheet, and the sign at its points. */
  private record Style(String name, Sign sign) {}

  private Style style(int line) {
    List<Line> before = view.lines().subList(0, line);
    int dense = (int) before.stream().filter(Line::isDense).count();
    int number = view.lines().get(line).isDense() ? dense : line - dense;
    return view.lines().get(line).isDense()
        ? new Style("ld", LineStyle.dense(number).sign())
        : new Style("l" + number % LineStyle.COLOURS.size(), LineStyle.of(number).sign());
  }

  private int x(double length) {
    return LEFT + (int) Math.round(tokens.share(length) * WIDTH);
  }

  private int y(double time) {
    return TOP + HEIGHT - (int) Math.round(times.share(time) * HEIGHT);
  }

  private void write(Markup page, Line line, Style style) {
    page.open("g", "class", style.name());
    StringBuilder points = new StringBuilder();
    for (Map.Entry<Integer, Double> point : line.times().entrySet()) {
      points.append(x(point.getKey())).append(',').append(y(point.getValue())).append(' ');
    }
    page.empty("polyline", "points", points.toString().strip());
    line.times().forEach((length, time) -> sign(page, style.sign(), x(length), y(time)));
    page.closeLine();
  }

  private static void sign(Markup page, Sign sign, int x, int y) {
    StringBuilder points = new StringBuilder();
    double[] corners = sign.around(x, y);
    for (int i = 0; i < corners.length; i += 2) {
      points.append(Shown.ratio(corners[i])).append(',').append(Shown.ratio(corners[i + 1]));
      points.append(' ');
    }
    page.empty("polygon", "points", points.toString().strip());
  }

  private void axes(Markup page) {
    page.empty("rect", "class", "frame", "x", LEFT, "y", TOP, "width", WIDTH, "height", HEIGHT);
    int last = Integer.MIN_VALUE;
    for (int length : view.lengths()) {
      int x = x(length);
      page.empty("line", "class", "guide", "x1", x, "y1", TOP, "x2", x, "y2", TOP + HEIGHT);
      if (x >= last + NARROWEST_TICK) {
        label(page, Shown.count(length), x, TOP + HEIGHT + 18, "middle");
        last = x;
      }
    }
    for (double time : times.ticks()) {
      int y = y(time);
      page.empty("line", "class", "guide", "x1", LEFT, "y1", y, "x2", LEFT + WIDTH, "y2", y);
      label(page, Shown.plain(time), LEFT - 6, y + 4, "end");
    }
    label(page, "length of the prompt (tokens)", LEFT + WIDTH / 2, TOP + HEIGHT + 38, "middle");
    page.element(
        "text",
        view.time(),
        "transform",
        "translate(14 %d) rotate(-90)".formatted(TOP + HEIGHT / 2),
        "text-anchor",
        "middle");
  }

  private static void label(Markup page, String text, int x, int y, String anchor) {
    page.element("text", text, "x", x, "y", y, "text-anchor", anchor);
  }
}
