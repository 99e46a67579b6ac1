package dev.heddle.search;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What some heads did on one task at one length.
 *
 * @param heads the name of the heads: {@code "dense"}, or a heads file
 * @param tokens tokens of each prompt
 * @param depth where the needle lay, 0 to 1; empty for other tasks
 * @param prompts prompts read
 * @param answers right and asked; empty for a text
 * @param bitsPerByte of a text; empty for other tasks
 * @param firstTokenNanos from prompt to first token, or the time to read a text: the median of the
 *     prompts
 * @param density cells computed as a share of those of dense attention: mean of the prompts
 */
public record EvalRow(
    String heads,
    EvalTask task,
    int tokens,
    OptionalDouble depth,
    int prompts,
    Optional<Proportion> answers,
    OptionalDouble bitsPerByte,
    long firstTokenNanos,
    double density) {
  private static final double NANOS_PER_SECOND = 1e9;

  /** The members of a JSON object; what is empty is left out. */
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("heads", heads);
    object.put("task", task.key());
    object.put("tokens", tokens);
    depth.ifPresent(value -> object.put("depth", value));
    object.put("prompts", prompts);
    answers.ifPresent(proportion -> {
      object.put("right", proportion.right());
      object.put("asked", proportion.asked());
      object.put("low", proportion.low());
      object.put("high", proportion.high());
    });
    bitsPerByte.ifPresent(value -> object.put("bitsPerByte", value));
    object.put("firstTokenSeconds", firstTokenNanos / NANOS_PER_SECOND);
    object.put("density", density);
    return object;
  }
}
