package dev.heddle.cli;

import dev.heddle.llm.PrefillTimes;
import java.awt.Color;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.ToLongFunction;

/**
 * What a prefill's time goes to: a panel for each length with a time axis of its own, in it a bar
 * for each heads file, whose parts stand one behind the other.
 */
final class PrefillPicture {
  static final int LEFT = 290;
  static final int AXIS_WIDTH = 620;
  private static final int RIGHT = 190;
  private static final int TOP = 112;
  private static final int BAR = 26;
  private static final int BAR_STEP = 36;
  private static final int PANEL_HEAD = 30;
  private static final int PANEL_FOOT = 62;
  private static final int LEGEND_STEP = 124;
  private static final int LEGEND_BOX = 14;
  private static final int MARGIN = 16;

  /**
   * Colours that stay apart for every kind of colour blindness; their order is that of the work.
   */
  static final List<Part> PARTS =
      List.of(
          new Part("projections", new Color(0x0072B2), PrefillTimes::projectionNanos),
          new Part("index", new Color(0x000000), PrefillTimes::indexNanos),
          new Part("attention", new Color(0xE69F00), PrefillTimes::attentionNanos),
          new Part("feed-forward", new Color(0x56B4E9), PrefillTimes::feedForwardNanos),
          new Part("all else", new Color(0xBBBBBB), PrefillTimes::otherNanos));

  private final PrefillBenchReport report;
  private final List<Integer> lengths;

  PrefillPicture(PrefillBenchReport report) {
    this.report = report;
    this.lengths = report.rows().stream().map(row -> row.measured().tokens()).distinct().toList();
  }

  /** One kind of work. */
  record Part(String name, Color colour, ToLongFunction<PrefillTimes> nanos) {}

  Canvas paint() {
    Canvas canvas = new Canvas(LEFT + AXIS_WIDTH + RIGHT, top(lengths.size()));
    int width = LEFT + AXIS_WIDTH + RIGHT - 2 * MARGIN;
    canvas.title(
        "%s: time to the logits of the last token".formatted(report.setting().model()),
        MARGIN,
        28,
        Canvas.LARGE_TEXT,
        width);
    canvas.title(
        "%s; fastest of %d"
            .formatted(
                Shown.sizes(report.setting().config().attention()), report.setting().repeat()),
        MARGIN,
        52,
        Canvas.TEXT,
        width);
    for (int part = 0; part < PARTS.size(); part++) {
      int left = LEFT + part * LEGEND_STEP;
      canvas.fill(PARTS.get(part).colour(), left, 70, LEGEND_BOX, LEGEND_BOX);
      canvas.label(PARTS.get(part).name(), left + LEGEND_BOX + 6, 77, Canvas.Side.RIGHT);
    }
    for (int panel = 0; panel < lengths.size(); panel++) {
      paintPanel(canvas, panel);
    }
    return canvas;
  }

  /** The bars of a panel, in the order of the report. */
  private List<PrefillBenchReport.Row> rows(int panel) {
    return report.rows().stream()
        .filter(row -> row.measured().tokens() == lengths.get(panel))
        .toList();
  }

  private int top(int panel) {
    int bars = 0;
    for (int before = 0; before < panel; before++) {
      bars += rows(before).size();
    }
    return TOP + panel * (PANEL_HEAD + PANEL_FOOT) + bars * BAR_STEP;
  }

  /** The middle of a bar. */
  int middle(int panel, int bar) {
    return top(panel) + PANEL_HEAD + bar * BAR_STEP + BAR / 2;
  }

  /** Where a bar's parts begin and end: one number more than there are parts. */
  int[] edges(int panel, int bar) {
    PrefillTimes times = rows(panel).get(bar).times();
    Scale scale = scale(panel);
    int[] edges = new int[PARTS.size() + 1];
    long nanos = 0;
    edges[0] = LEFT;
    for (int part = 0; part < PARTS.size(); part++) {
      nanos += Math.max(0, PARTS.get(part).nanos().applyAsLong(times));
      edges[part + 1] = scale.x(nanos);
    }
    return edges;
  }

  private Scale scale(int panel) {
    return Scale.upTo(
        rows(panel).stream().mapToLong(row -> row.times().totalNanos()).max().orElse(1));
  }

  private void paintPanel(Canvas canvas, int panel) {
    int top = top(panel);
    canvas.title(
        Shown.count(lengths.get(panel)) + " tokens", LEFT, top + 16, Canvas.TEXT + 2, AXIS_WIDTH);
    List<PrefillBenchReport.Row> rows = rows(panel);
    for (int bar = 0; bar < rows.size(); bar++) {
      paintBar(canvas, rows.get(bar), edges(panel, bar), middle(panel, bar));
    }
    int bottom = top + PANEL_HEAD + rows.size() * BAR_STEP;
    Scale scale = scale(panel);
    canvas.line(LEFT - 1, bottom, LEFT + AXIS_WIDTH, bottom);
    canvas.line(LEFT - 1, top + PANEL_HEAD - 4, LEFT - 1, bottom);
    for (int step = 0; step <= scale.steps(); step++) {
      int x = scale.x(step * scale.stepNanos());
      canvas.line(x, bottom, x, bottom + 4);
      canvas.label(scale.text(step), x, bottom + 14, Canvas.Side.CENTRE);
    }
    canvas.label(
        "time (%s)".formatted(scale.unit()),
        LEFT + AXIS_WIDTH + 36,
        bottom + 14,
        Canvas.Side.RIGHT);
  }

  private void paintBar(Canvas canvas, PrefillBenchReport.Row row, int[] edges, int middle) {
    canvas.title(row.measured().name(), MARGIN, middle + 5, Canvas.TEXT, LEFT - MARGIN - 8);
    for (int part = 0; part < PARTS.size(); part++) {
      int width = edges[part + 1] - edges[part];
      canvas.fill(PARTS.get(part).colour(), edges[part], middle - BAR / 2, width, BAR);
    }
    OptionalDouble ratio = report.overDense(row);
    boolean dense = row.measured().heads().equals(PrefillBenchReport.DENSE);
    canvas.label(
        Scale.total(row.times().totalNanos())
            + (ratio.isEmpty() || dense
                ? ""
                : ", %sx over dense".formatted(Shown.ratio(ratio.getAsDouble()))),
        edges[PARTS.size()] + 8,
        middle,
        Canvas.Side.RIGHT);
  }

  /** A time axis from 0 in whole steps of 1, 2 or 5 times a power of ten. */
  private record Scale(long stepNanos, int steps) {
    private static final int MOST_STEPS = 8;
    private static final long MICRO = 1000;
    private static final long SECOND = 1_000_000_000;
    private static final double MILLI = 1e6;

    static Scale upTo(long nanos) {
      for (long power = MICRO; ; power *= 10) {
        for (int factor : new int[] {1, 2, 5}) {
          long steps = Math.ceilDiv(Math.max(1, nanos), power * factor);
          if (steps <= MOST_STEPS) {
            return new Scale(power * factor, (int) steps);
          }
        }
      }
    }

    int x(long nanos) {
      return LEFT + (int) Math.round((double) nanos / (steps * stepNanos) * AXIS_WIDTH);
    }

    boolean inSeconds() {
      return steps * stepNanos >= SECOND;
    }

    String unit() {
      return inSeconds() ? "s" : "ms";
    }

    String text(int step) {
      double value = step * stepNanos / (inSeconds() ? (double) SECOND : MILLI);
      return value == Math.rint(value)
          ? String.format(Locale.ROOT, "%.0f", value)
          : Double.toString(value);
    }

    static String total(long nanos) {
      return nanos >= SECOND ? Shown.seconds(nanos) : Shown.millis(nanos);
    }
  }
}
