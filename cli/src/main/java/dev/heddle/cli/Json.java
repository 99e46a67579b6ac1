package dev.heddle.cli;

import java.io.PrintWriter;
import java.util.Map;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.json.JsonMapper;

/** Writes JSON objects given as maps. */
final class Json {
  private Json() {}

  /** Prints {@code object} and a line end. */
  static void print(Map<String, Object> object, PrintWriter out) {
    ObjectWriter writer = new JsonMapper().writerWithDefaultPrettyPrinter();
    out.println(writer.writeValueAsString(object));
    out.flush();
  }
}
