package dev.heddle.llm;

import java.util.Optional;

/**
 * What is done to each head of Q or K before it is turned.
 *
 * @param norm a norm over the head's numbers; empty for nothing
 */
record HeadNorm(Optional<RmsNorm> norm) {
  void apply(float[] row, int offset) {
    norm.ifPresent(present -> present.apply(row, offset));
  }
}
