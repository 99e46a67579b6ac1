package dev.heddle.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** The outcome of a command whose outcome is a file. */
record Written(String what, String out) implements Result {
  @Override
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("out", out);
    return object;
  }

  @Override
  public void print(Console console) {
    console.out().println(what + " in " + out);
  }
}
