package dev.heddle.cli;

import java.awt.Color;

/**
 * The picture of an {@link AttentionMap}: the hue says whether the index covers the cell with a
 * pixel's largest weight, the darkness is the weight's logarithm.
 */
final class HeadPicture {
  /** Pixels along a side of the map; a map of fewer tokens is magnified to about as many. */
  static final int MOST_PIXELS = 768;

  static final int LEFT = 84;
  static final int TOP = 112;
  private static final int RIGHT = 210;
  private static final int BOTTOM = 64;
  private static final int NARROWEST_MAP = 512;

  /** The palest colour stands for this weight and all below. */
  private static final int DECADES = 5;

  private final HeadPlot.Seen seen;
  private final AttentionMap map;
  private final int scale;
  private final int side;

  HeadPicture(HeadPlot.Seen seen) {
    this.seen = seen;
    this.map = seen.map();
    this.scale = Math.max(1, MOST_PIXELS / map.size());
    this.side = Math.max(NARROWEST_MAP, map.size() * scale);
  }

  Canvas paint() {
    Canvas canvas = new Canvas(LEFT + side + RIGHT, TOP + side + BOTTOM);
    title(canvas);
    paintMap(canvas);
    axes(canvas);
    int bars = LEFT + side + 28;
    new ColourBar(bars, TOP + 44, side - 64)
        .paint(canvas, ColourRamp.BLUE, HeadPicture::weight, DECADES);
    new ColourBar(bars + 90, TOP + 44, side - 64)
        .paint(canvas, ColourRamp.ORANGE, HeadPicture::weight, DECADES);
    canvas.label("attention weight", bars, TOP + 6, Canvas.Side.RIGHT);
    canvas.label("covered", bars, TOP + 26, Canvas.Side.RIGHT);
    canvas.label("not covered", bars + 82, TOP + 26, Canvas.Side.RIGHT);
    return canvas;
  }

  private void title(Canvas canvas) {
    int width = side + RIGHT - 16;
    canvas.title(
        "%s, layer %d, head %d: %s"
            .formatted(
                seen.setting().model(), seen.layer(), seen.head(), seen.used().pattern().name()),
        LEFT,
        28,
        Canvas.LARGE_TEXT,
        width);
    canvas.title(seen.used().options().toString(), LEFT, 50, Canvas.TEXT, width);
    canvas.title(
        "density %s of the cells, recall %s of the softmax mass; %s tokens, a pixel stands for %s x %s of them"
            .formatted(
                Shown.percent(seen.density()),
                Shown.percent(map.recall()),
                Shown.count(seen.setting().tokens()),
                perPixel(),
                perPixel()),
        LEFT,
        70,
        Canvas.TEXT,
        width);
    canvas.title(
        "colour: the largest weight of a pixel's cells; blue: the index covers that cell, orange: it does not",
        LEFT,
        90,
        Canvas.TEXT,
        width);
  }

  private String perPixel() {
    return seen.setting().tokens() == map.size()
        ? "1"
        : Shown.ratio((double) seen.setting().tokens() / map.size());
  }

  private void paintMap(Canvas canvas) {
    for (int row = 0; row < map.size(); row++) {
      for (int column = 0; column <= row; column++) {
        int left = edge(column);
        int top = edge(row);
        canvas.fill(
            colour(row, column),
            LEFT + left,
            TOP + top,
            edge(column + 1) - left,
            edge(row + 1) - top);
      }
    }
    canvas.frame(LEFT, TOP, side, side);
  }

  /** Where a row or column of the map begins, within it. */
  private int edge(int pixel) {
    return (int) ((long) pixel * side / map.size());
  }

  private Color colour(int row, int column) {
    float covered = map.covered(row, column);
    float missed = map.missed(row, column);
    return covered >= missed
        ? ColourRamp.BLUE.at(darkness(covered))
        : ColourRamp.ORANGE.at(darkness(missed));
  }

  /** 0 for the smallest weight of the scale and all below, 1 for weight 1. */
  static double darkness(float weight) {
    return weight > 0 ? Math.clamp(1 + Math.log10(weight) / DECADES, 0.0, 1.0) : 0;
  }

  /** The weight at a place of the scale, in words. */
  private static String weight(double share) {
    int power = (int) Math.rint(DECADES * (share - 1));
    return power == 0 ? "1" : (share == 0 ? "≤ " : "") + "1e" + power;
  }

  private void axes(Canvas canvas) {
    int tokens = seen.setting().tokens();
    for (int token : Ticks.upTo(tokens)) {
      int at = (int) ((long) token * side / tokens);
      canvas.line(LEFT + at, TOP + side, LEFT + at, TOP + side + 5);
      canvas.label(Shown.count(token), LEFT + at, TOP + side + 15, Canvas.Side.CENTRE);
      canvas.line(LEFT - 6, TOP + at, LEFT - 1, TOP + at);
      canvas.label(Shown.count(token), LEFT - 9, TOP + at, Canvas.Side.LEFT);
    }
    canvas.label("key (token)", LEFT + side / 2, TOP + side + 42, Canvas.Side.CENTRE);
    canvas.upright("query (token)", 16, TOP + side / 2);
  }
}
