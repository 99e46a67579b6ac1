package dev.heddle.llm;

/**
 * Where in a text some tokens begin. Launches that are recorded and replayed for token after token
 * read the place from device memory.
 *
 * @param token the place, or what is added to the number at {@code address}
 * @param address device address of an int32, or 0 for none
 */
record Place(int token, long address) {
  static Place at(int token) {
    return new Place(token, 0);
  }

  static Place in(long address) {
    return new Place(0, address);
  }

  Place plus(int tokens) {
    return new Place(token + tokens, address);
  }
}
