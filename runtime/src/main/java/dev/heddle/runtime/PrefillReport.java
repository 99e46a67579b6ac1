package dev.heddle.runtime;

import java.util.List;
import java.util.stream.IntStream;

/**
 * What one call of {@link SparseAttention#prefill} computed.
 *
 * @param layer the layer
 * @param heads one entry per query head
 * @param indexNanos time spent building indices, wall clock
 * @param attentionNanos time spent on attention, wall clock
 */
public record PrefillReport(int layer, List<Head> heads, long indexNanos, long attentionNanos) {
  /** Copies the list. */
  public PrefillReport {
    heads = List.copyOf(heads);
  }

  /**
   * One head's part.
   *
   * @param pattern the pattern that ran, {@code "dense"} also where the prompt was too short for
   *     the assigned one
   * @param cells cells (query, key) computed
   * @param causalCells cells that dense attention computes
   */
  public record Head(String pattern, long cells, long causalCells) {
    private Head plus(Head next) {
      return new Head(next.pattern, cells + next.cells, causalCells + next.causalCells);
    }
  }

  /**
   * What the layer computed over a chunk of a prompt and over the chunk behind it. Cells and times
   * add up; a head's pattern is the one that ran last, where there were more keys.
   *
   * @param next the report of the same layer over the next chunk
   */
  public PrefillReport plus(PrefillReport next) {
    return new PrefillReport(
        layer,
        IntStream.range(0, heads.size())
            .mapToObj(head -> heads.get(head).plus(next.heads.get(head)))
            .toList(),
        indexNanos + next.indexNanos,
        attentionNanos + next.attentionNanos);
  }

  /** Cells computed as a share of those of dense attention, over all heads. */
  public double density() {
    long cells = heads.stream().mapToLong(Head::cells).sum();
    long causal = heads.stream().mapToLong(Head::causalCells).sum();
    return (double) cells / causal;
  }
}
