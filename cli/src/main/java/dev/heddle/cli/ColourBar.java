package dev.heddle.cli;

import java.util.function.DoubleFunction;

/** The scale of a picture's colours: an upright bar, dark above, with marks at its right. */
record ColourBar(int left, int top, int height) {
  private static final int WIDTH = 18;

  /**
   * Paints it.
   *
   * @param text what stands at a share of the ramp, from 0 to 1
   * @param steps marks, less one
   */
  void paint(Canvas canvas, ColourRamp ramp, DoubleFunction<String> text, int steps) {
    for (int y = 0; y < height; y++) {
      canvas.fill(ramp.at(1 - (y + 0.5) / height), left, top + y, WIDTH, 1);
    }
    canvas.frame(left, top, WIDTH, height);
    for (int step = 0; step <= steps; step++) {
      double share = (double) step / steps;
      int y = top + (int) Math.round((1 - share) * (height - 1));
      canvas.line(left + WIDTH, y, left + WIDTH + 4, y);
      canvas.label(text.apply(share), left + WIDTH + 8, y, Canvas.Side.RIGHT);
    }
  }
}
