package dev.heddle.cli;

import java.awt.Color;
import java.util.List;

/**
 * Colours from light to dark, so that a picture can be read in grey as well. Blue and orange stay
 * apart for every kind of colour blindness.
 */
record ColourRamp(List<Color> stops) {
  static final ColourRamp BLUE =
      new ColourRamp(List.of(new Color(0xDEEBF7), new Color(0x4292C6), new Color(0x08306B)));

  static final ColourRamp ORANGE =
      new ColourRamp(List.of(new Color(0xFEEDDE), new Color(0xF16913), new Color(0x7F2704)));

  private static final double DARK = 0.55;

  ColourRamp {
    stops = List.copyOf(stops);
  }

  /** What can be read on the colour at {@code share}. */
  static Color textOn(double share) {
    return share > DARK ? Color.WHITE : Color.BLACK;
  }

  /** The colour at {@code share} of the way, from 0 to 1; ends where the ramp does. */
  Color at(double share) {
    double place = Math.clamp(share, 0.0, 1.0) * (stops.size() - 1);
    int before = Math.min((int) place, stops.size() - 2);
    double part = place - before;
    Color from = stops.get(before);
    Color to = stops.get(before + 1);
    return new Color(
        mix(from.getRed(), to.getRed(), part),
        mix(from.getGreen(), to.getGreen(), part),
        mix(from.getBlue(), to.getBlue(), part));
  }

  private static int mix(int from, int to, double part) {
    return (int) Math.round(from + (to - from) * part);
  }
}
