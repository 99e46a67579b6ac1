package dev.heddle.cli;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Writes HTML that is XML too: whatever a name contains is escaped, and every element is closed.
 * Attributes are given as names and values in turn.
 */
final class Markup {
  private final StringBuilder text = new StringBuilder();
  private final Deque<String> open = new ArrayDeque<>();

  /** Begins an element. */
  Markup open(String element, Object... attributes) {
    tag(element, attributes);
    text.append('>');
    open.push(element);
    return this;
  }

  /** Ends the element that was begun last. */
  Markup close() {
    text.append("</").append(open.pop()).append('>');
    return this;
  }

  /** Ends it, and the line. */
  Markup closeLine() {
    close();
    text.append('\n');
    return this;
  }

  /** An element without content. */
  Markup empty(String element, Object... attributes) {
    tag(element, attributes);
    text.append("/>");
    return this;
  }

  /** An element with a text in it. */
  Markup element(String element, String content, Object... attributes) {
    return open(element, attributes).text(content).close();
  }

  /** A text. */
  Markup text(String content) {
    escape(content);
    return this;
  }

  /** The text of a style sheet, which is the program's own and has no {@code <} and {@code &}. */
  Markup style(String sheet) {
    text.append("<style>\n").append(sheet).append("</style>");
    return this;
  }

  /** All that was written; every element must have been ended. */
  String page() {
    if (!open.isEmpty()) {
      throw new IllegalStateException(open + " is not ended");
    }
    return "<!DOCTYPE html>\n" + text + "\n";
  }

  private void tag(String element, Object... attributes) {
    text.append('<').append(element);
    for (int i = 0; i < attributes.length; i += 2) {
      text.append(' ').append(attributes[i]).append("=\"");
      escape(String.valueOf(attributes[i + 1]));
      text.append('"');
    }
  }

  private void escape(String content) {
    content
        .codePoints()
        .forEach(point -> {
          switch (point) {
            case '<' -> text.append("&lt;");
            case '>' -> text.append("&gt;");
            case '&' -> text.append("&amp;");
            case '"' -> text.append("&quot;");
            default -> text.appendCodePoint(isAllowed(point) ? point : REPLACEMENT);
          }
        });
  }

  private static final int REPLACEMENT = 0xFFFD;

  /** Neither XML nor a file in UTF-8 may have the others. */
  private static boolean isAllowed(int point) {
    return (point >= ' ' || point == '\t' || point == '\n')
        && !(point >= 0x7F && point < 0xA0)
        && !(point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE)
        && (point & 0xFFFE) != 0xFFFE;
  }
}
