package dev.heddle.cli;

import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Times against lengths of prompts.
 *
 * @param title what was timed
 * @param setting on what, by whom
 * @param time what the time is, with its unit
 * @param lines a line for each pattern or heads file
 */
record SpeedView(String title, String setting, String time, List<Line> lines) {
  /**
   * One line.
   *
   * @param group lines of one group are compared with the group's dense line
   * @param times by number of tokens
   */
  record Line(String name, String group, boolean isDense, NavigableMap<Integer, Double> times) {
    double last() {
      return times.lastEntry().getValue();
    }
  }

  /** All lengths, rising. */
  List<Integer> lengths() {
    return lines.stream()
        .flatMap(line -> line.times().keySet().stream())
        .distinct()
        .sorted()
        .toList();
  }

  LogAxis tokenAxis() {
    return LogAxis.around(lengths().stream().map(Integer::doubleValue).toList());
  }

  LogAxis timeAxis() {
    return LogAxis.around(lines.stream().flatMap(line -> line.times().values().stream()).toList());
  }

  /** The lines from the slowest at its greatest length, as they lie in the picture. */
  List<Line> fromTheSlowest() {
    return lines.stream().sorted(Comparator.comparingDouble(Line::last).reversed()).toList();
  }

  /** How many times as fast as dense a line is at its greatest length. */
  OptionalDouble overDense(Line line) {
    Optional<Double> dense =
        lines.stream()
            .filter(other -> other.isDense() && other.group().equals(line.group()))
            .flatMap(
                other -> Optional.ofNullable(other.times().get(line.times().lastKey())).stream())
            .findFirst();
    return dense.isPresent() && !line.isDense()
        ? OptionalDouble.of(dense.get() / line.last())
        : OptionalDouble.empty();
  }
}
