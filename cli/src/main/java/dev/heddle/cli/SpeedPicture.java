package dev.heddle.cli;

import dev.heddle.cli.SpeedView.Line;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** Times against lengths, both on logarithmic axes: a power of the length is a straight line. */
final class SpeedPicture {
  static final int LEFT = 96;
  static final int TOP = 84;
  static final int WIDTH = 640;
  static final int HEIGHT = 460;
  private static final int LEGEND = 430;
  private static final int BELOW = 64;
  private static final int NARROWEST_TICK = 68;
  private static final int LINE_HEIGHT = 26;

  private final SpeedView view;
  private final LogAxis tokens;
  private final LogAxis times;

  SpeedPicture(SpeedView view) {
    this.view = view;
    this.tokens = view.tokenAxis();
    this.times = view.timeAxis();
  }

  int x(double length) {
    return LEFT + (int) Math.round(tokens.share(length) * WIDTH);
  }

  int y(double time) {
    return TOP + HEIGHT - (int) Math.round(times.share(time) * HEIGHT);
  }

  Canvas paint() {
    int height = Math.max(HEIGHT, LINE_HEIGHT * (view.lines().size() + 1));
    Canvas canvas = new Canvas(LEFT + WIDTH + LEGEND, TOP + height + BELOW);
    int width = WIDTH + LEGEND - 24;
    canvas.title(view.title(), LEFT, 30, Canvas.LARGE_TEXT, width);
    canvas.title(view.setting(), LEFT, 54, Canvas.TEXT, width);
    axes(canvas);
    canvas.label(
        "slowest first; speed over dense at the greatest length",
        LEFT + WIDTH + 24,
        TOP,
        Canvas.Side.RIGHT);
    int dense = 0;
    int sparse = 0;
    for (Line line : view.fromTheSlowest()) {
      LineStyle look = line.isDense() ? LineStyle.dense(dense) : LineStyle.of(sparse);
      paint(canvas, line, look);
      legend(canvas, line, look, TOP + LINE_HEIGHT * (dense + sparse + 1));
      dense += line.isDense() ? 1 : 0;
      sparse += line.isDense() ? 0 : 1;
    }
    return canvas;
  }

  private void paint(Canvas canvas, Line line, LineStyle look) {
    List<Integer> xs = new ArrayList<>();
    List<Integer> ys = new ArrayList<>();
    for (Map.Entry<Integer, Double> point : line.times().entrySet()) {
      xs.add(x(point.getKey()));
      ys.add(y(point.getValue()));
      canvas.mark(look.colour(), look.sign(), xs.getLast(), ys.getLast());
    }
    canvas.path(
        look.colour(),
        xs.stream().mapToInt(Integer::intValue).toArray(),
        ys.stream().mapToInt(Integer::intValue).toArray());
  }

  private void legend(Canvas canvas, Line line, LineStyle look, int y) {
    int left = LEFT + WIDTH + 24;
    canvas.path(look.colour(), new int[] {left, left + 28}, new int[] {y, y});
    canvas.mark(look.colour(), look.sign(), left + 14, y);
    OptionalDouble overDense = view.overDense(line);
    String faster =
        overDense.isPresent() ? String.format(Locale.ROOT, ": %.1fx", overDense.getAsDouble()) : "";
    canvas.title(line.name() + faster, left + 38, y + 5, Canvas.TEXT, LEGEND - 24 - 38 - 12);
  }

  private void axes(Canvas canvas) {
    int last = Integer.MIN_VALUE;
    for (int length : view.lengths()) {
      int x = x(length);
      canvas.guide(x, TOP, x, TOP + HEIGHT - 1);
      canvas.line(x, TOP + HEIGHT, x, TOP + HEIGHT + 5);
      if (x >= last + NARROWEST_TICK) {
        canvas.label(Shown.count(length), x, TOP + HEIGHT + 16, Canvas.Side.CENTRE);
        last = x;
      }
    }
    for (double time : times.ticks()) {
      int y = y(time);
      canvas.guide(LEFT, y, LEFT + WIDTH - 1, y);
      canvas.line(LEFT - 6, y, LEFT - 1, y);
      canvas.label(Shown.plain(time), LEFT - 9, y, Canvas.Side.LEFT);
    }
    canvas.frame(LEFT, TOP, WIDTH, HEIGHT);
    canvas.label(
        "length of the prompt (tokens)", LEFT + WIDTH / 2, TOP + HEIGHT + 42, Canvas.Side.CENTRE);
    canvas.upright(view.time(), 24, TOP + HEIGHT / 2);
  }
}
