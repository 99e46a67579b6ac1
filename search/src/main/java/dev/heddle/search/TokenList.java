package dev.heddle.search;

import java.util.Arrays;

/** Token ids that are put together, up to a known number. */
final class TokenList {
  private final int[] tokens;
  private int size;

  TokenList(int capacity) {
    tokens = new int[capacity];
  }

  void add(int token) {
    tokens[size++] = token;
  }

  void addAll(int[] more) {
    System.arraycopy(more, 0, tokens, size, more.length);
    size += more.length;
  }

  int size() {
    return size;
  }

  int[] toArray() {
    return Arrays.copyOf(tokens, size);
  }
}
