package dev.heddle.cli;

import dev.heddle.search.EvalRow;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Where in a prompt a single fact is found: for each heads file a grid of lengths and depths, whose
 * colour is the share of right answers.
 */
final class NeedlePicture {
  static final int LEFT = 88;
  static final int TOP = 118;
  static final int CELL_WIDTH = 74;
  static final int CELL_HEIGHT = 40;
  private static final int MOST_ACROSS = 3;
  private static final int BETWEEN = 40;
  private static final int BELOW = 112;
  private static final int RIGHT = 130;
  private static final int NARROWEST = 420;
  private static final int BAR_STEPS = 4;

  private final NeedleGrid grid;
  private final int across;

  NeedlePicture(NeedleGrid grid) {
    this.grid = grid;
    this.across = Math.min(MOST_ACROSS, grid.heads().size());
  }

  /** Left edge of a panel's grid. */
  int left(int panel) {
    return LEFT + panel % across * (panelWidth() + LEFT + BETWEEN);
  }

  /** Upper edge of a panel's grid. */
  int top(int panel) {
    return TOP + panel / across * (gridHeight() + BELOW);
  }

  private int panelWidth() {
    return CELL_WIDTH * grid.tokens().size();
  }

  private int gridHeight() {
    return CELL_HEIGHT * grid.depths().size();
  }

  Canvas paint() {
    int panels = grid.heads().size();
    int width = Math.max(NARROWEST, left(across - 1) + panelWidth() + RIGHT);
    Canvas canvas = new Canvas(width, top(panels - 1) + gridHeight() + BELOW - 44);
    canvas.title(
        "%s: where a single fact is found".formatted(grid.model()),
        LEFT,
        30,
        Canvas.LARGE_TEXT,
        width - LEFT - 16);
    canvas.title(
        "each cell: right answers of all, to prompts of one length with the fact at one depth",
        LEFT,
        54,
        Canvas.TEXT,
        width - LEFT - 16);
    for (int panel = 0; panel < panels; panel++) {
      paint(canvas, panel);
    }
    new ColourBar(left(across - 1) + panelWidth() + 24, TOP, Math.max(100, gridHeight()))
        .paint(
            canvas,
            ColourRamp.BLUE,
            share -> String.format(Locale.ROOT, "%.0f %% right", 100 * share),
            BAR_STEPS);
    return canvas;
  }

  private void paint(Canvas canvas, int panel) {
    int left = left(panel);
    int top = top(panel);
    canvas.title(grid.label(panel), left, top - 12, Canvas.TEXT, panelWidth() + BETWEEN);
    for (int row = 0; row < grid.depths().size(); row++) {
      for (int column = 0; column < grid.tokens().size(); column++) {
        Optional<EvalRow> cell = grid.at(panel, column, row);
        paintCell(canvas, cell, left + column * CELL_WIDTH, top + row * CELL_HEIGHT);
      }
    }
    canvas.frame(left, top, panelWidth(), gridHeight());
    axes(canvas, left, top);
  }

  private static void paintCell(Canvas canvas, Optional<EvalRow> cell, int left, int top) {
    cell.flatMap(EvalRow::answers)
        .ifPresent(answers -> {
          canvas.fill(
              ColourRamp.BLUE.at(answers.share()), left, top, CELL_WIDTH - 1, CELL_HEIGHT - 1);
          canvas.label(
              answers.right() + " of " + answers.asked(),
              left + CELL_WIDTH / 2,
              top + CELL_HEIGHT / 2,
              Canvas.Side.CENTRE,
              ColourRamp.textOn(answers.share()));
        });
  }

  private void axes(Canvas canvas, int left, int top) {
    List<Integer> tokens = grid.tokens();
    for (int column = 0; column < tokens.size(); column++) {
      canvas.label(
          Shown.count(tokens.get(column)),
          left + column * CELL_WIDTH + CELL_WIDTH / 2,
          top + gridHeight() + 14,
          Canvas.Side.CENTRE);
    }
    for (int row = 0; row < grid.depths().size(); row++) {
      canvas.label(
          NeedleGrid.depth(grid.depths().get(row)),
          left - 8,
          top + row * CELL_HEIGHT + CELL_HEIGHT / 2,
          Canvas.Side.LEFT);
    }
    canvas.label(
        "length of the prompt (tokens)",
        left + panelWidth() / 2,
        top + gridHeight() + 38,
        Canvas.Side.CENTRE);
    canvas.upright("depth of the fact (%)", left - 66, top + gridHeight() / 2);
  }
}
