package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.search.EvalRow;
import dev.heddle.search.EvalTask;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The rows of an evaluation's needles, as grids of lengths and depths. */
record NeedleGrid(EvalView view, List<Integer> tokens, List<Double> depths) {
  /** More would make a picture that no memory holds and nobody reads. */
  private static final int MOST = 64;

  /**
   * The grids of {@code view}.
   *
   * @param file where that comes from, for messages
   * @throws InvalidInputException if it has no needles, or too many
   */
  static NeedleGrid of(EvalView view, String file) {
    List<EvalRow> rows =
        view.of(EvalTask.NEEDLE).stream().filter(row -> row.depth().isPresent()).toList();
    NeedleGrid grid =
        new NeedleGrid(
            view,
            rows.stream().map(EvalRow::tokens).distinct().sorted().toList(),
            rows.stream().map(row -> row.depth().getAsDouble()).distinct().sorted().toList());
    if (rows.isEmpty()) {
      throw new InvalidInputException(
          file + " has no needles; evaluate with --tasks needle, at lengths and depths");
    }
    requirePaintable(file, grid.heads().size(), grid.tokens.size(), grid.depths.size());
    return grid;
  }

  /**
   * Checks the size of grids.
   *
   * @throws InvalidInputException if nobody could read them
   */
  static void requirePaintable(String what, int heads, int tokens, int depths) {
    if (Math.max(heads, Math.max(tokens, depths)) > MOST) {
      throw new InvalidInputException(
          "%s: there are %d choices of heads, %d lengths and %d depths; allowed in a picture: %d of each"
              .formatted(what, heads, tokens, depths, MOST));
    }
  }

  List<String> heads() {
    return view.heads();
  }

  /** The model's own name, without its folder. */
  String model() {
    return Shown.fileName(view.model());
  }

  /** What a panel is called. */
  String label(int panel) {
    return view.label(heads().get(panel));
  }

  Optional<EvalRow> at(int panel, int column, int row) {
    return view.of(EvalTask.NEEDLE).stream()
        .filter(one ->
            one.heads().equals(heads().get(panel))
                && one.tokens() == tokens.get(column)
                && one.depth().isPresent()
                && one.depth().getAsDouble() == depths.get(row))
        .findFirst();
  }

  /** A depth, 0 to 1, in percent. */
  static String depth(double share) {
    return String.format(
        Locale.ROOT, share * 100 == Math.rint(share * 100) ? "%.0f" : "%.1f", 100 * share);
  }
}
