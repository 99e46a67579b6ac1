package dev.heddle.cli;

import java.util.List;

/**
 * A grid of coloured cells as SVG within a page, whose style sheet has the colours for light and
 * dark.
 *
 * @param title what is shown, with its unit
 * @param rowAxis what a row is
 * @param columnAxis what a column is
 * @param rows the rows' names
 * @param columns the columns' names
 * @param cells in any order
 * @param ends what the palest and the strongest shade stand for; empty where the scale says nothing
 */
record HeatMap(
    String title,
    String rowAxis,
    String columnAxis,
    List<String> rows,
    List<String> columns,
    List<Cell> cells,
    List<String> ends) {
  private static final int LEFT = 58;
  private static final int TOP = 8;
  private static final int BELOW = 42;
  private static final int RIGHT = 8;
  private static final int WIDEST = 280;

  /** Room for the name of an axis. */
  private static final int NARROWEST = 190;

  private static final int MOST_CELL = 40;
  private static final int LEAST_CELL = 6;
  private static final int CELL_WITH_TEXT = 26;
  private static final int LABEL = 30;
  private static final int SHADE = 12;

  /** Colours of the scale in the style sheet. */
  static final int SHADES = 10;

  /**
   * One cell.
   *
   * @param style its class in the style sheet
   * @param text what stands in it where there is room
   * @param hint what is shown where a mouse rests on it
   */
  record Cell(int row, int column, String style, String text, String hint) {}

  /** The class of the scale for a share from 0, pale, to 1. */
  static String shade(double share) {
    return "s" + Math.clamp((int) (share * SHADES), 0, SHADES - 1);
  }

  /** Writes it as a figure with its title. */
  void write(Markup page) {
    int width = cellWidth();
    int height = Math.min(width, MOST_CELL);
    int gridWidth = width * columns.size();
    int gridHeight = height * rows.size();
    page.open("figure").element("figcaption", title);
    page.open(
        "svg",
        "role",
        "img",
        "aria-label",
        title,
        "width",
        LEFT + Math.max(gridWidth, NARROWEST) + RIGHT,
        "height",
        TOP + gridHeight + BELOW);
    for (Cell cell : cells) {
      write(page, cell, width, height);
    }
    axes(page, width, height);
    page.element(
        "text",
        columnAxis,
        "x",
        LEFT + Math.max(gridWidth, NARROWEST) / 2,
        "y",
        TOP + gridHeight + 36,
        "text-anchor",
        "middle");
    page.element(
        "text",
        rowAxis,
        "transform",
        "translate(12 %d) rotate(-90)".formatted(TOP + gridHeight / 2),
        "text-anchor",
        "middle");
    page.close();
    if (!ends.isEmpty()) {
      scale(page);
    }
    page.closeLine();
  }

  /** All shades in a row, between what they stand for. */
  private void scale(Markup page) {
    page.open("p", "class", "scale").text(ends.getFirst() + " ");
    page.open("svg", "aria-hidden", "true", "width", SHADES * SHADE, "height", SHADE);
    for (int shade = 0; shade < SHADES; shade++) {
      page.open("g", "class", "s" + shade)
          .empty("rect", "x", shade * SHADE, "y", 0, "width", SHADE, "height", SHADE)
          .close();
    }
    page.close().text(" " + ends.getLast()).close();
  }

  private int cellWidth() {
    int longest = cells.stream().mapToInt(cell -> cell.text().length()).max().orElse(0);
    int wanted = Math.max(MOST_CELL, 8 * Math.max(longest, longest(columns)) + 8);
    return Math.clamp(WIDEST / Math.max(1, columns.size()), LEAST_CELL, wanted);
  }

  private static void write(Markup page, Cell cell, int width, int height) {
    int left = LEFT + cell.column() * width;
    int top = TOP + cell.row() * height;
    int gap = width >= CELL_WITH_TEXT ? 1 : 0;
    page.open("g", "class", cell.style()).element("title", cell.hint());
    page.empty("rect", "x", left, "y", top, "width", width - gap, "height", height - gap);
    if (7 * cell.text().length() + 4 <= width && !cell.text().isEmpty()) {
      page.element(
          "text",
          cell.text(),
          "x",
          left + width / 2,
          "y",
          top + height / 2 + 4,
          "text-anchor",
          "middle");
    }
    page.closeLine();
  }

  private void axes(Markup page, int width, int height) {
    int columnStep = Math.max(1, Math.ceilDiv(longest(columns) * 8 + 6, width));
    for (int column = 0; column < columns.size(); column += columnStep) {
      page.element(
          "text",
          columns.get(column),
          "x",
          LEFT + column * width + width / 2,
          "y",
          TOP + rows.size() * height + 16,
          "text-anchor",
          "middle");
    }
    int rowStep = Math.max(1, Math.ceilDiv(LABEL / 2, height));
    for (int row = 0; row < rows.size(); row += rowStep) {
      page.element(
          "text",
          rows.get(row),
          "x",
          LEFT - 6,
          "y",
          TOP + row * height + height / 2 + 4,
          "text-anchor",
          "end");
    }
  }

  private static int longest(List<String> names) {
    return names.stream().mapToInt(String::length).max().orElse(0);
  }
}
