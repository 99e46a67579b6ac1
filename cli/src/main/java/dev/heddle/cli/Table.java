package dev.heddle.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Rows of text whose columns line up: the first to the left, numbers to the right. */
final class Table {
  private static final String GAP = "  ";
  private final List<List<String>> rows = new ArrayList<>();
  private final int leftColumns;

  /** Starts a table whose first {@code leftColumns} columns are text. */
  Table(int leftColumns) {
    this.leftColumns = leftColumns;
  }

  /** Adds a row; all rows have the same number of cells. */
  Table row(String... cells) {
    rows.add(List.of(cells));
    return this;
  }

  /** Prints the rows, each after {@code indent}. */
  void print(PrintWriter out, String indent) {
    int columns = rows.isEmpty() ? 0 : rows.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int column = 0; column < columns; column++) {
        widths[column] = Math.max(widths[column], row.get(column).length());
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder(indent);
      for (int column = 0; column < columns; column++) {
        String padding = " ".repeat(widths[column] - row.get(column).length());
        line.append(column == 0 ? "" : GAP);
        line.append(column < leftColumns ? row.get(column) + padding : padding + row.get(column));
      }
      out.println(line.toString().stripTrailing());
    }
  }
}
