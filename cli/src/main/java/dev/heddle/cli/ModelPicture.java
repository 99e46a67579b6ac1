package dev.heddle.cli;

import java.util.Locale;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;

/** Heat maps of density, recall and error: a row for each layer, a column for each head. */
final class ModelPicture {
  static final int LEFT = 64;
  static final int TOP = 112;
  private static final int BOTTOM = 64;
  private static final int BETWEEN = 150;
  private static final int WIDEST_CELL = 44;
  private static final int NARROWEST_CELL = 6;
  private static final int MAP = 420;

  /** Cells as large as this have their value written into them. */
  private static final int CELL_WITH_TEXT = 38;

  private static final int BAR_STEPS = 5;

  private final ModelPlot.Seen seen;
  private final int layers;
  private final int heads;
  private final int cell;

  ModelPicture(ModelPlot.Seen seen) {
    this.seen = seen;
    this.layers = seen.layers().size();
    this.heads = seen.layers().getFirst().size();
    this.cell = Math.clamp(MAP / Math.max(layers, heads), NARROWEST_CELL, WIDEST_CELL);
  }

  /** Which quantity a map shows, and the values at the ends of its scale. */
  private record Quantity(
      String name, ToDoubleFunction<ModelPlot.Measured> value, double from, double to) {
    double share(ModelPlot.Measured head) {
      return (value.applyAsDouble(head) - from) / (to - from);
    }
  }

  /** Pixels along a side of a cell. */
  int cell() {
    return cell;
  }

  /** Left edge of a map: 0 density, 1 recall, 2 error. */
  int left(int map) {
    return LEFT + map * (heads * cell + BETWEEN);
  }

  Canvas paint() {
    Canvas canvas = new Canvas(left(3), TOP + layers * cell + BOTTOM);
    int width = left(3) - LEFT;
    canvas.title(
        "%s: density, recall and error by layer and head".formatted(seen.setting().model()),
        LEFT,
        28,
        Canvas.LARGE_TEXT,
        width);
    canvas.title(
        "%s tokens; each layer from the Q, K and V of a dense reading, in percent"
            .formatted(Shown.count(seen.setting().tokens())),
        LEFT,
        52,
        Canvas.TEXT,
        width);
    paintMap(canvas, 0, upTo("density (% of cells)", ModelPlot.Measured::density));
    double least = Math.min(0.9, extreme(ModelPlot.Measured::recall, false));
    paintMap(
        canvas,
        1,
        new Quantity(
            "recall (% of softmax mass)",
            ModelPlot.Measured::recall, Math.floor(least * 10) / 10, 1));
    paintMap(canvas, 2, upTo("output error (% of dense)", ModelPlot.Measured::error));
    return canvas;
  }

  private Quantity upTo(String name, ToDoubleFunction<ModelPlot.Measured> value) {
    double most = Math.max(0.1, extreme(value, true));
    return new Quantity(name, value, 0, Math.ceil(most * 10) / 10);
  }

  private double extreme(ToDoubleFunction<ModelPlot.Measured> value, boolean greatest) {
    double[] sorted =
        seen.layers().stream()
            .flatMap(layer -> layer.stream())
            .mapToDouble(value)
            .sorted()
            .toArray();
    return sorted[greatest ? sorted.length - 1 : 0];
  }

  private void paintMap(Canvas canvas, int map, Quantity quantity) {
    int left = left(map);
    for (int layer = 0; layer < layers; layer++) {
      for (int head = 0; head < heads; head++) {
        paintCell(
            canvas,
            left + head * cell,
            TOP + layer * cell,
            quantity,
            seen.layers().get(layer).get(head));
      }
    }
    canvas.frame(left, TOP, heads * cell, layers * cell);
    axes(canvas, left);
    canvas.label(quantity.name(), left, TOP - 22, Canvas.Side.RIGHT);
    DoubleFunction<String> text =
        share -> percent(quantity.from() + share * (quantity.to() - quantity.from())) + " %";
    new ColourBar(left + heads * cell + 16, TOP + 8, Math.max(60, layers * cell - 16))
        .paint(canvas, ColourRamp.BLUE, text, BAR_STEPS);
  }

  private void paintCell(
      Canvas canvas, int left, int top, Quantity quantity, ModelPlot.Measured head) {
    double share = quantity.share(head);
    canvas.fill(ColourRamp.BLUE.at(share), left, top, cell, cell);
    if (cell >= CELL_WITH_TEXT) {
      canvas.label(
          percent(quantity.value().applyAsDouble(head)),
          left + cell / 2,
          top + cell / 2,
          Canvas.Side.CENTRE,
          ColourRamp.textOn(share));
    }
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f", 100 * share);
  }

  private void axes(Canvas canvas, int left) {
    for (int head : Ticks.upTo(heads)) {
      canvas.label(
          "" + head, left + head * cell + cell / 2, TOP + layers * cell + 14, Canvas.Side.CENTRE);
    }
    for (int layer : Ticks.upTo(layers)) {
      canvas.label("" + layer, left - 6, TOP + layer * cell + cell / 2, Canvas.Side.LEFT);
    }
    canvas.label(
        "head (number)", left + heads * cell / 2, TOP + layers * cell + 38, Canvas.Side.CENTRE);
    canvas.upright("layer (number)", left - 38, TOP + layers * cell / 2);
  }
}
