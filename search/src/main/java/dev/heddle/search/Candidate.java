package dev.heddle.search;

import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;

/** A pattern with options that a head may use. */
record Candidate(SparsePattern pattern, Options options) {
  @Override
  public String toString() {
    return pattern.name() + " " + options;
  }
}
