package dev.heddle.kernels;

import java.util.List;

/**
 * What a call on a GPU computed.
 *
 * @param cells cells (query, key) computed, for each query head
 * @param indexNanos time that the device spent on building indices
 * @param attentionNanos time that the device spent on attention
 */
public record GpuReport(List<Long> cells, long indexNanos, long attentionNanos) {
  /** Copies the list. */
  public GpuReport {
    cells = List.copyOf(cells);
  }
}
