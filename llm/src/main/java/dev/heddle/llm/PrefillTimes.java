package dev.heddle.llm;

import dev.heddle.llm.PartTimes.Part;
import dev.heddle.runtime.PrefillReport;
import java.util.List;
import java.util.Map;

/**
 * What a prefill on a GPU spent its time on. Parts are times of the device.
 *
 * @param totalNanos from the prompt to the logits of its last token, wall clock
 * @param projectionNanos matrix products to Q, K and V, and from the heads back
 * @param feedForwardNanos matrix products and gates of the feed-forward parts
 * @param indexNanos building the indices of sparse heads
 * @param attentionNanos attention
 * @param reports what the attention of each layer computed, first layer to last
 */
public record PrefillTimes(
    long totalNanos,
    long projectionNanos,
    long feedForwardNanos,
    long indexNanos,
    long attentionNanos,
    List<PrefillReport> reports) {
  public PrefillTimes {
    reports = List.copyOf(reports);
  }

  static PrefillTimes of(long totalNanos, Map<Part, Long> parts, List<PrefillReport> reports) {
    return new PrefillTimes(
        totalNanos,
        parts.getOrDefault(Part.PROJECTIONS, 0L),
        parts.getOrDefault(Part.FEED_FORWARD, 0L),
        reports.stream().mapToLong(PrefillReport::indexNanos).sum(),
        reports.stream().mapToLong(PrefillReport::attentionNanos).sum(),
        reports);
  }

  /** Embedding, norms, the turn by the position, logits, and waiting. */
  public long otherNanos() {
    return totalNanos - projectionNanos - feedForwardNanos - indexNanos - attentionNanos;
  }

  /** Cells that attention computed, as a share of those of dense attention. */
  public double density() {
    return reports.stream().mapToDouble(PrefillReport::density).average().orElse(1);
  }
}
