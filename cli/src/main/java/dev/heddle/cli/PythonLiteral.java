package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Reads the little Python that stands in {@code .npy} headers: a dictionary of strings, booleans,
 * integers ({@link Long}), and tuples or lists of those ({@link List}). Nothing is evaluated.
 */
final class PythonLiteral {
  /** A header nests three deep at most; deeper text is an attack on the stack. */
  private static final int DEEPEST = 8;

  private final String text;
  private int at;

  private PythonLiteral(String text) {
    this.text = text;
  }

  /**
   * Reads {@code text}, which must be one dictionary and nothing else.
   *
   * @throws InvalidInputException naming the place where it is not
   */
  static Map<String, Object> dictionary(String text) {
    PythonLiteral reader = new PythonLiteral(text);
    Map<String, Object> result = reader.dictionary();
    reader.skipSpace();
    if (reader.at < text.length()) {
      throw reader.wrong("the end");
    }
    return result;
  }

  /** Writes a value as Python would, for messages. */
  static String show(Object value) {
    return switch (value) {
      case String string -> "'" + string + "'";
      case Boolean truth -> truth ? "True" : "False";
      case List<?> items ->
          items.stream().map(PythonLiteral::show).collect(Collectors.joining(", ", "(", ")"));
      default -> value.toString();
    };
  }

  private Map<String, Object> dictionary() {
    Map<String, Object> result = new LinkedHashMap<>();
    expect('{');
    while (!accept('}')) {
      String key = string();
      expect(':');
      if (result.put(key, value(0)) != null) {
        throw new InvalidInputException("the key '" + key + "' stands there twice");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    return result;
  }

  private Object value(int depth) {
    if (depth > DEEPEST) {
      throw wrong("fewer brackets");
    }
    skipSpace();
    char next = peek();
    if (next == '\'' || next == '"') {
      return string();
    }
    if (next == '(' || next == '[') {
      return items(depth);
    }
    if (next == '-' || Character.isDigit(next)) {
      return integer();
    }
    return truth();
  }

  private List<Object> items(int depth) {
    char close = accept('(') ? ')' : ']';
    if (close == ']') {
      expect('[');
    }
    List<Object> result = new ArrayList<>();
    while (!accept(close)) {
      result.add(value(depth + 1));
      if (!accept(',')) {
        expect(close);
        break;
      }
    }
    return result;
  }

  private String string() {
    skipSpace();
    char quote = peek();
    int end = quote == '\'' || quote == '"' ? text.indexOf(quote, at + 1) : -1;
    if (end < 0) {
      throw wrong("a string");
    }
    String result = text.substring(at + 1, end);
    at = end + 1;
    return result;
  }

  private Long integer() {
    int start = at++;
    while (Character.isDigit(peek())) {
      at++;
    }
    try {
      return Long.valueOf(text.substring(start, at));
    } catch (NumberFormatException tooLarge) {
      throw new InvalidInputException(
          "the number " + text.substring(start, at) + " is out of range", tooLarge);
    }
  }

  private Boolean truth() {
    for (Boolean truth : List.of(true, false)) {
      if (text.startsWith(show(truth), at)) {
        at += show(truth).length();
        return truth;
      }
    }
    throw wrong("a string, a number, a tuple, True or False");
  }

  private void expect(char wanted) {
    if (!accept(wanted)) {
      throw wrong("'" + wanted + "'");
    }
  }

  private boolean accept(char wanted) {
    skipSpace();
    if (peek() != wanted) {
      return false;
    }
    at++;
    return true;
  }

  private void skipSpace() {
    while (Character.isWhitespace(peek())) {
      at++;
    }
  }

  /** The next character; a character that fits nowhere at the end. */
  private char peek() {
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private InvalidInputException wrong(String wanted) {
    String found = at < text.length() ? "'" + text.charAt(at) + "'" : "the end";
    return new InvalidInputException(
        "character %d is %s, where %s is needed".formatted(at + 1, found, wanted));
  }
}
