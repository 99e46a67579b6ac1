package dev.heddle.cli;

/**
 * One measured run.
 *
 * @param cells cells (query, key) computed, over all heads
 */
record BenchSample(long indexNanos, long attentionNanos, long cells) {
  long totalNanos() {
    return indexNanos + attentionNanos;
  }
}
