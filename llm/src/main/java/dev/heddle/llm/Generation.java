package dev.heddle.llm;

import dev.heddle.runtime.PrefillReport;
import java.util.List;

/**
 * A finished answer.
 *
 * @param tokens its token ids, without the end token
 * @param end why it ended
 * @param firstTokenNanos from the start of the prompt to the choice of the first token, wall clock
 * @param totalNanos from the start of the prompt to the end, wall clock
 * @param reports what each layer's attention computed over the prompt, first layer to last
 */
public record Generation(
    List<Integer> tokens,
    End end,
    long firstTokenNanos,
    long totalNanos,
    List<PrefillReport> reports) {
  public Generation {
    tokens = List.copyOf(tokens);
    reports = List.copyOf(reports);
  }

  /** Why an answer ended. */
  public enum End {
    /** The model chose an end token. */
    END_TOKEN,
    /** It has as many tokens as were allowed. */
    MAX_NEW_TOKENS,
    /** The cache, or the model's positions, are used up. */
    NO_ROOM
  }

  /** The answer's token ids as an array, as {@link TextTokenizer#decode} takes them. */
  public int[] tokenArray() {
    return tokens.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Cells that attention computed over the prompt, as a share of those of dense attention. */
  public double density() {
    return reports.stream().mapToDouble(PrefillReport::density).average().orElse(1);
  }
}
