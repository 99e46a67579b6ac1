package dev.heddle.cli;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** An axis on which equal ratios are equal distances; both ends are positive. */
record LogAxis(double from, double to) {
  private static final double MARGIN = 0.05;
  private static final int MOST_TICKS = 9;
  private static final int[][] STEPS = {{1, 2, 5}, {1, 3}, {1}};

  /** An axis with all of {@code values}, which are positive, and some room at its ends. */
  static LogAxis around(Collection<Double> values) {
    double least = values.stream().mapToDouble(Double::doubleValue).min().orElse(1);
    double most = values.stream().mapToDouble(Double::doubleValue).max().orElse(1);
    double room = most > least ? Math.pow(most / least, MARGIN) : 2;
    return new LogAxis(least / room, most * room);
  }

  /** Where {@code value} lies, 0 at the one end and 1 at the other. */
  double share(double value) {
    return Math.log(value / from) / Math.log(to / from);
  }

  /** Round numbers within the axis: 1, 2 and 5 times powers of ten, or fewer where it is long. */
  List<Double> ticks() {
    List<Double> ticks = List.of();
    for (int[] steps : STEPS) {
      ticks = ticks(steps);
      if (ticks.size() <= MOST_TICKS) {
        break;
      }
    }
    return ticks;
  }

  private List<Double> ticks(int[] steps) {
    List<Double> ticks = new ArrayList<>();
    for (int power = (int) Math.floor(Math.log10(from)); power <= Math.log10(to); power++) {
      for (int step : steps) {
        double tick = Double.parseDouble(step + "e" + power); // exact, unlike Math.pow
        if (tick >= from && tick <= to) {
          ticks.add(tick);
        }
      }
    }
    return ticks;
  }
}
