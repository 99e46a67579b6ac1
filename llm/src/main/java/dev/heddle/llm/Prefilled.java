package dev.heddle.llm;

import dev.heddle.runtime.PrefillReport;
import java.util.List;

/**
 * What reading a prompt gave.
 *
 * @param logits the scores of the next token, at the positions that were asked for
 * @param reports what each layer's attention computed, first layer to last
 */
public record Prefilled(Logits logits, List<PrefillReport> reports) {
  public Prefilled {
    reports = List.copyOf(reports);
  }
}
