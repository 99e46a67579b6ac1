package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a prompt and its answer need with each kind of cache. The first kind that fits is taken.
 *
 * @param choices the kinds that may be taken, the preferred first; at least one
 * @param availableBytes memory that may be used where the model computes
 * @param availableHostBytes memory of the machine that may be used beside that
 */
public record CachePlan(List<Choice> choices, long availableBytes, long availableHostBytes) {
  private static final double GIBIBYTE = 1 << 30;

  public CachePlan {
    choices = List.copyOf(choices);
  }

  /**
   * One kind of cache.
   *
   * @param kind the kind
   * @param needed memory where the model computes
   * @param hostBytes memory of the machine beside that
   */
  public record Choice(CacheKind kind, MemoryEstimate needed, long hostBytes) {}

  /** Whether there is enough memory for it. */
  public boolean fits(Choice choice) {
    return choice.needed().bytes() <= availableBytes && choice.hostBytes() <= availableHostBytes;
  }

  /** The first choice that fits; empty if none does. */
  public Optional<Choice> taken() {
    return choices.stream().filter(this::fits).findFirst();
  }

  /** The choice that is taken, or else the last one, which needs the least where it computes. */
  public Choice nearest() {
    return taken().orElse(choices.getLast());
  }

  /**
   * The choice that is taken.
   *
   * @param what what needs the memory: {@code "a prompt of 9 tokens"}
   * @throws InvalidInputException if none fits, with need and limit of each
   */
  Choice require(String what) {
    return taken().orElseThrow(() -> new InvalidInputException(refusal(what)));
  }

  /** The need of the last choice in full, then those of the others. */
  private String refusal(String what) {
    Choice last = choices.getLast();
    String others =
        choices.size() == 1
            ? ""
            : choices.stream()
                .limit(choices.size() - 1L)
                .map(choice ->
                    String.format(
                        Locale.ROOT,
                        "%.2f %s",
                        choice.needed().bytes() / GIBIBYTE,
                        choice.kind().description()))
                .collect(Collectors.joining(", ", " (with keys and values ", ")"));
    if (last.needed().bytes() > availableBytes) {
      return last.needed().refusal(what, availableBytes) + others;
    }
    return String.format(
        Locale.ROOT,
        "%s needs %.2f GiB of the machine's memory for keys and values, but %.2f GiB may be used;"
            + " allowed: a shorter text, or more memory%s",
        what,
        last.hostBytes() / GIBIBYTE,
        availableHostBytes / GIBIBYTE,
        others);
  }
}
