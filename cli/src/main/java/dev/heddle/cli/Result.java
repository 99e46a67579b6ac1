package dev.heddle.cli;

import java.util.Map;

/** What a command found out, for people and for programs. */
interface Result {
  /** The one object that {@code --json} prints; values are what JSON knows, keys in order. */
  Map<String, Object> json();

  /** Prints the same for people. */
  void print(Console console);

  /** Whether the work was done; otherwise the exit status is 1. */
  default boolean succeeded() {
    return true;
  }
}
