package dev.heddle.llm;

import java.lang.foreign.Arena;

/** Arenas that an object owns from its making to its closing. */
final class OwnedArena {
  private OwnedArena() {}

  /** A shared arena; the caller closes it. */
  @SuppressWarnings("MustBeClosedChecker") // the owner is closed later, not in the same method
  static Arena open() {
    return Arena.ofShared();
  }
}
